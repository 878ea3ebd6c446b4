//! Which chains a fusion network has.

use crate::{problem::Result, text::problem};

/// The province's sharing chain.
const PROVINCE: &str = "省数据共享链";
/// The relay chain.
const RELAY: &str = "数据中继链";
/// 1+19: seventeen cities, 济源 and the airport zone.
const CITIES: [&str; 19] = [
    "郑州",
    "开封",
    "洛阳",
    "平顶山",
    "安阳",
    "鹤壁",
    "新乡",
    "焦作",
    "濮阳",
    "许昌",
    "漯河",
    "三门峡",
    "南阳",
    "商丘",
    "信阳",
    "周口",
    "驻马店",
    "济源",
    "航空港区",
];
/// The one layout that has a name.
const HENAN: &str = "henan";

/// The chains of a fusion network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) relay: String,
    /// All others.
    pub(crate) members: Vec<String>,
}

impl Layout {
    /// The layout of a name, or of these members with the standard relay chain.
    pub(crate) fn new(named: Option<&str>, members: &[String]) -> Result<Self> {
        let relay = RELAY.to_owned();
        match (named, members) {
            (Some(HENAN) | None, []) => Ok(Self {
                relay,
                members: [PROVINCE].into_iter().chain(CITIES).map(String::from).collect(),
            }),
            (None, members) if members.len() >= 2 => Ok(Self {
                relay,
                members: members.to_vec(),
            }),
            (None, _) => Err(problem::too_few_members()),
            (Some(other), _) => Err(problem::unknown_layout(other, HENAN)),
        }
    }

    /// Chains in all.
    pub(crate) fn len(&self) -> usize {
        self.members.len() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn henan_is_one_province_nineteen_cities_and_the_relay() {
        let layout = Layout::new(Some(HENAN), &[]).unwrap();
        let names: BTreeSet<&String> = layout.members.iter().collect();
        assert_eq!((layout.len(), names.len()), (21, 20));
        assert!(Layout::new(Some("hebei"), &[]).is_err());
        assert!(Layout::new(None, &["a".into()]).is_err());
        assert_eq!(Layout::new(None, &["a".into(), "b".into()]).unwrap().len(), 3);
    }
}
