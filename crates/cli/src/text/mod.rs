//! Every text that a person reads, in Chinese and in English, side by side.
//!
//! [`texts!`] makes a function of each text and [`problems!`] one of each error; a test checks that no language misses
//! anything. The language is chosen once, before the first text is asked for.

mod help;
pub(crate) mod problem;
pub(crate) mod say;

pub(crate) use help::HELP;

use std::sync::OnceLock;

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Chinese, the default.
    Zh,
    /// English.
    En,
}

impl Language {
    /// As `--lang` takes it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The language of a code such as `zh`, `zh-CN`, `zh_CN.UTF-8` or `en`.
    pub(crate) fn of(code: &str) -> Option<Self> {
        let name = code.split(['-', '_', '.']).next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// Chooses the language; the first choice stays.
pub(crate) fn choose(language: Language) {
    LANGUAGE.get_or_init(|| language);
}

/// The language chosen, or Chinese.
pub(crate) fn language() -> Language {
    LANGUAGE.get().copied().unwrap_or(Language::Zh)
}

/// The one of two texts that is in the language chosen.
pub(crate) fn either<'a>(zh: &'a str, en: &'a str) -> &'a str {
    match language() {
        Language::Zh => zh,
        Language::En => en,
    }
}

/// Makes a function of each text: `name(arguments) = "中文", "English";`.
macro_rules! texts {
    ($($name:ident($($argument:ident),*) = $zh:literal, $en:literal;)*) => {
        $(
            pub(crate) fn $name($($argument: impl std::fmt::Display),*) -> String {
                match $crate::text::language() {
                    $crate::text::Language::Zh => format!($zh),
                    $crate::text::Language::En => format!($en),
                }
            }
        )*

        /// Name, Chinese and English of every text above.
        #[cfg(test)]
        pub(crate) const TEXTS: &[(&str, &str, &str)] = &[$((stringify!($name), $zh, $en)),*];
    };
}
pub(crate) use texts;

/// Makes a function of each error: `name(arguments) = "stable_code", exit { what, what to do; in English: what, what to do }`.
macro_rules! problems {
    ($($name:ident($($argument:ident),*) = $code:literal, $exit:ident {
        $zh:literal, $hint_zh:literal, $en:literal, $hint_en:literal
    })*) => {
        $(
            pub(crate) fn $name($($argument: impl std::fmt::Display),*) -> $crate::problem::Problem {
                let (what, hint) = match $crate::text::language() {
                    $crate::text::Language::Zh => (format!($zh), format!($hint_zh)),
                    $crate::text::Language::En => (format!($en), format!($hint_en)),
                };
                $crate::problem::Problem::new($crate::problem::Exit::$exit, $code, what, hint)
            }
        )*

        /// Name, Chinese and English of every text above.
        #[cfg(test)]
        pub(crate) const TEXTS: &[(&str, &str, &str)] = &[
            $(($code, $zh, $en), (concat!($code, " hint"), $hint_zh, $hint_en)),*
        ];

        /// Every code above.
        #[cfg(test)]
        pub(crate) const CODES: &[&str] = &[$($code),*];
    };
}
pub(crate) use problems;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const UNITS: [&str; 5] = ["MiB", "KB", "ms", "tx/s", "API"];

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let opened = text.split('{').skip(1);
        opened
            .filter_map(|rest| rest.split('}').next())
            .map(|name| name.split(':').next().unwrap_or(name))
            .collect()
    }

    /// Texts that are nothing but values and signs are the same in both languages.
    fn without_values(text: &str) -> String {
        let mut out = String::new();
        let mut depth = 0;
        for c in text.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ if depth == 0 => out.push(c),
                _ => {}
            }
        }
        out
    }

    fn check(name: &str, zh: &str, en: &str) {
        let words = without_values(zh);
        // Units are the same in every language.
        let words = UNITS.iter().fold(words, |words, unit| words.replace(unit, ""));
        let chinese = words.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(
            chinese || !words.chars().any(char::is_alphabetic) || zh == en,
            "{name}: no Chinese text: {zh}"
        );
        // Names of organisations and clouds in examples are Chinese in both languages; English itself is ASCII.
        assert!(en.is_ascii(), "{name}: the English text is not ASCII: {en}");
        assert!(!en.is_empty() && !zh.is_empty(), "{name}: empty");
        assert_eq!(
            placeholders(zh),
            placeholders(en),
            "{name}: the languages show different values"
        );
    }

    #[test]
    fn every_text_is_there_in_both_languages() {
        for (name, zh, en) in [
            say::TEXTS,
            crate::bench::say::TEXTS,
            crate::between::say::TEXTS,
            crate::demo::say::TEXTS,
            crate::drill::say::TEXTS,
            problem::TEXTS,
            HELP,
        ]
        .concat()
        {
            check(name, zh, en);
        }
    }

    #[test]
    fn codes_of_problems_are_stable_names_of_their_own() {
        let mut seen = BTreeSet::new();
        for code in problem::CODES {
            assert!(seen.insert(code), "{code} twice");
            assert!(
                code.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{code}"
            );
        }
    }

    #[test]
    fn languages_are_read_from_codes() {
        for (code, language) in [
            ("zh", Some(Language::Zh)),
            ("zh_CN.UTF-8", Some(Language::Zh)),
            ("EN", Some(Language::En)),
            ("en-GB", Some(Language::En)),
            ("de", None),
            ("", None),
        ] {
            assert_eq!(Language::of(code), language, "{code}");
        }
    }
}
