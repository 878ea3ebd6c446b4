//! The command line: its grammar, its help in both languages, its errors in words.

use crate::{
    account, agent, bench, between, block, chain, demo, doctor, drill, evidence, fusion, governance, key, ledger,
    network, node, platform, status,
    text::{self, HELP, Language, either, say},
    transaction, up, verify,
};
use clap::{
    Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{collections::BTreeMap, ffi::OsString};

/// Environment variable that chooses the language.
const LANGUAGE_VARIABLE: &str = "YULIAN_LANG";

#[derive(Debug, Parser)]
#[command(name = "yulian", version, disable_help_subcommand = true, disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Read from the raw words before anything else, so that help and errors are in it.
    #[arg(long, global = true, value_name = "zh|en", value_parser = parse_language)]
    pub(crate) lang: Option<Language>,
    #[command(subcommand)]
    pub(crate) command: Run,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    Up(up::Arguments),
    #[command(subcommand)]
    Evidence(evidence::Command),
    Verify(verify::Arguments),
    #[command(subcommand)]
    Trust(verify::trust::Command),
    #[command(subcommand)]
    Key(key::Command),
    #[command(subcommand)]
    Tx(transaction::Command),
    #[command(subcommand)]
    Block(block::Command),
    Status(status::Arguments),
    #[command(subcommand)]
    Chain(chain::Command),
    #[command(subcommand)]
    Fusion(fusion::Command),
    #[command(subcommand)]
    Link(between::link::Command),
    #[command(subcommand)]
    Voucher(between::voucher::Command),
    #[command(subcommand)]
    Packet(between::packet::Command),
    #[command(subcommand)]
    Route(between::route::Command),
    #[command(subcommand)]
    Notice(between::notice::Command),
    #[command(subcommand)]
    Platform(platform::Command),
    #[command(subcommand)]
    Topology(platform::Topology),
    #[command(subcommand)]
    Agent(agent::Command),
    #[command(subcommand)]
    Node(node::Command),
    #[command(subcommand)]
    Network(network::Command),
    #[command(subcommand)]
    Validator(governance::validator::Command),
    #[command(subcommand)]
    Proposal(governance::proposal::Command),
    #[command(subcommand)]
    Parameter(governance::parameter::Command),
    #[command(subcommand)]
    Organisation(governance::organisation::Command),
    #[command(subcommand)]
    Charter(governance::charter::Command),
    #[command(subcommand)]
    Protocol(governance::protocol::Command),
    #[command(subcommand)]
    Account(account::Command),
    Backup(ledger::Backup),
    Restore(ledger::Restore),
    Replay(ledger::Replay),
    Doctor(doctor::Arguments),
    Bench(bench::Arguments),
    Demo(demo::Arguments),
    #[command(subcommand)]
    Drill(drill::Command),
}

fn parse_language(code: &str) -> Result<Language, String> {
    Language::of(code).ok_or_else(|| "zh, en".into())
}

/// Chooses the language from the command line, the environment, or Chinese.
pub(crate) fn choose_language(words: &[OsString]) {
    let mut words = words
        .iter()
        .skip(1)
        .filter_map(|word| word.to_str())
        .take_while(|word| *word != "--");
    let mut named = None;
    while let Some(word) = words.next() {
        if let Some(code) = word.strip_prefix("--lang=") {
            named = Language::of(code);
        } else if word == "--lang" {
            named = words.next().and_then(Language::of);
        }
    }
    let from_environment = || std::env::var(LANGUAGE_VARIABLE).ok().as_deref().and_then(Language::of);
    text::choose(named.or_else(from_environment).unwrap_or(Language::Zh));
}

/// Parses the words of the command line, or says why not, with the exit code.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Arguments, (String, u8)> {
    let matches = command().try_get_matches_from(words).map_err(|error| explain(&error))?;
    Arguments::from_arg_matches(&matches).map_err(|error| explain(&error))
}

/// The command tree with its texts in the chosen language.
pub(crate) fn command() -> Command {
    let mut built = Arguments::command();
    built.build();
    let help: BTreeMap<&str, &str> = HELP.iter().map(|(key, zh, en)| (*key, either(zh, en))).collect();
    localise(Arguments::command(), &built, "", &help)
}

/// `path` is the words from the program to this command, without the program's name.
fn localise(command: Command, built: &Command, path: &str, help: &BTreeMap<&str, &str>) -> Command {
    let name = |id: &str| {
        if path.is_empty() {
            id.to_owned()
        } else {
            format!("{path}.{id}")
        }
    };
    let arguments: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    let subcommands: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let usage = built.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim_start().to_owned();
    let about = help
        .get(if path.is_empty() { "yulian" } else { path })
        .copied()
        .unwrap_or_default();
    let mut command = command
        .about(about.to_owned())
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .help_template(say::help_template())
        .subcommand_help_heading(say::help_commands())
        .override_usage(
            say::help_usage(usage)
                .replace("[OPTIONS]", &say::help_options_word())
                .replace("<COMMAND>", &say::help_command_word()),
        );
    for id in arguments {
        command = command.mut_arg(&id, |arg| {
            let own = help
                .get(name(&id).as_str())
                .or_else(|| help.get(format!("*.{id}").as_str()));
            localise_argument(arg, own.copied().unwrap_or_default())
        });
    }
    for sub in subcommands {
        let Some(inner) = built.find_subcommand(&sub).cloned() else {
            continue;
        };
        command = command.mut_subcommand(&sub, |command| localise(command, &inner, &name(&sub), help));
    }
    let about_help = help.get("*.help").copied().unwrap_or_default();
    let asked = Arg::new("help").long("help").short('h').action(ArgAction::Help);
    command = command.arg(localise_argument(asked, about_help));
    if path.is_empty() {
        let about_version = help.get("*.version").copied().unwrap_or_default();
        let asked = Arg::new("version")
            .long("version")
            .short('V')
            .action(ArgAction::Version);
        command = command
            .disable_version_flag(true)
            .arg(localise_argument(asked, about_version));
    }
    command
}

fn localise_argument(argument: Arg, help: &str) -> Arg {
    let values: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let shown = !values.is_empty() && !matches!(argument.get_action(), ArgAction::SetTrue);
    let help = if shown {
        say::help_default(help, values.join(" "))
    } else {
        help.to_owned()
    };
    let heading = if argument.is_positional() {
        say::help_arguments()
    } else {
        say::help_options()
    };
    argument
        .help(help)
        .help_heading(heading)
        .hide_default_value(true)
        .hide_possible_values(true)
        .hide_env(true)
}

/// What is wrong with the command line; help and version, which are asked for, end well.
fn explain(error: &clap::Error) -> (String, u8) {
    match error.kind() {
        ErrorKind::DisplayHelp => (error.to_string(), 0),
        ErrorKind::DisplayVersion => (format!("yulian {}\n", env!("CARGO_PKG_VERSION")), 0),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => (error.to_string(), 2),
        _ => (
            format!("{}\n", say::problem_what(usage_error(error), "bad_arguments")),
            2,
        ),
    }
}

fn usage_error(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let what = match error.kind() {
        ErrorKind::UnknownArgument => say::usage_unknown(argument),
        ErrorKind::InvalidSubcommand => say::usage_unknown(context(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingRequiredArgument => say::usage_missing(argument),
        ErrorKind::MissingSubcommand => say::usage_no_command(),
        ErrorKind::ArgumentConflict => say::usage_conflict(argument, context(ContextKind::PriorArg)),
        ErrorKind::InvalidValue if value.is_empty() => say::usage_no_value(argument),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            say::usage_bad_value(value, argument, why)
        }
        _ => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
        .map(context)
        .concat();
    let near = if near.is_empty() { near } else { say::usage_near(near) };
    format!("{what}{near}{}", say::usage_help())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Keys under which the texts of a command and of all below it are looked up.
    fn keys(command: &Command, path: &str, into: &mut BTreeSet<String>, shared: &mut BTreeMap<String, bool>) {
        let name = |id: &str| {
            if path.is_empty() {
                id.to_owned()
            } else {
                format!("{path}.{id}")
            }
        };
        into.insert(if path.is_empty() {
            "yulian".into()
        } else {
            path.to_owned()
        });
        for argument in command.get_arguments() {
            let key = name(argument.get_id().as_str());
            let everywhere = format!("*.{}", argument.get_id());
            if HELP.iter().any(|(known, _, _)| *known == everywhere) && !HELP.iter().any(|(known, _, _)| *known == key)
            {
                shared.insert(everywhere, true);
            } else {
                into.insert(key);
            }
        }
        for sub in command.get_subcommands() {
            keys(sub, &name(sub.get_name()), into, shared);
        }
    }

    #[test]
    fn every_command_and_argument_has_its_help_and_no_help_is_left_over() {
        let mut expected = BTreeSet::new();
        let mut shared = BTreeMap::new();
        keys(&Arguments::command(), "", &mut expected, &mut shared);
        let shared = shared.into_keys().chain(["*.help".to_owned(), "*.version".to_owned()]);
        expected.extend(shared);
        let known: BTreeSet<String> = HELP.iter().map(|(key, _, _)| key.to_string()).collect();
        assert_eq!(known.len(), HELP.len(), "a key of the help twice");
        let missing: Vec<_> = expected.difference(&known).collect();
        let stale: Vec<_> = known.difference(&expected).collect();
        assert!(
            missing.is_empty() && stale.is_empty(),
            "missing {missing:?}, left over {stale:?}"
        );
    }

    #[test]
    fn the_grammar_is_sound_in_both_forms() {
        Arguments::command().debug_assert();
        command().debug_assert();
    }

    #[test]
    fn mistakes_on_the_command_line_end_with_2() {
        for words in [
            &["yulian"][..],
            &["yulian", "fly"],
            &["yulian", "verify"],
            &["yulian", "verify", "a", "b", "--row", "c"],
            &["yulian", "verify", "a", "--genesis"],
            &["yulian", "--lang", "de", "verify", "a"],
        ] {
            let words = words.iter().map(OsString::from).collect();
            let (text, code) = parse(words).unwrap_err();
            assert_eq!(code, 2, "{text}");
            assert!(text.contains("yulian") || text.contains("bad_arguments"), "{text}");
        }
    }
}
