//! Which chains a fusion network has.

use crate::{problem::Result, text::problem};

/// The province's sharing chain.
const PROVINCE: &str = "省数据共享链";
/// The relay chain.
const RELAY: &str = "数据中继链";
/// Cities in the order of the plans, with the Latin names of their folders and organisations: seventeen, 济源 and the airport zone.
const CITIES: [City; 19] = [
    City {
        name: "郑州",
        id: "zhengzhou",
    },
    City {
        name: "开封",
        id: "kaifeng",
    },
    City {
        name: "洛阳",
        id: "luoyang",
    },
    City {
        name: "平顶山",
        id: "pingdingshan",
    },
    City {
        name: "安阳",
        id: "anyang",
    },
    City {
        name: "鹤壁",
        id: "hebi",
    },
    City {
        name: "新乡",
        id: "xinxiang",
    },
    City {
        name: "焦作",
        id: "jiaozuo",
    },
    City {
        name: "濮阳",
        id: "puyang",
    },
    City {
        name: "许昌",
        id: "xuchang",
    },
    City {
        name: "漯河",
        id: "luohe",
    },
    City {
        name: "三门峡",
        id: "sanmenxia",
    },
    City {
        name: "南阳",
        id: "nanyang",
    },
    City {
        name: "商丘",
        id: "shangqiu",
    },
    City {
        name: "信阳",
        id: "xinyang",
    },
    City {
        name: "周口",
        id: "zhoukou",
    },
    City {
        name: "驻马店",
        id: "zhumadian",
    },
    City {
        name: "济源",
        id: "jiyuan",
    },
    City {
        name: "航空港区",
        id: "airport",
    },
];
/// The one layout that has a name.
const HENAN: &str = "henan";

/// A city of the 1+19.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct City {
    /// Its name, also that of its chain.
    pub(crate) name: &'static str,
    /// Latin letters.
    pub(crate) id: &'static str,
}

impl City {
    /// The city of a name in either writing.
    pub(crate) fn find(name: &str) -> Result<(usize, Self)> {
        let found = CITIES.iter().position(|city| city.name == name || city.id == name);
        let names = || CITIES.map(|city| city.name).join(", ");
        found
            .map(|at| (at, CITIES[at]))
            .ok_or_else(|| problem::unknown_city(name, names()))
    }
}

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
                members: [PROVINCE]
                    .into_iter()
                    .chain(CITIES.map(|city| city.name))
                    .map(String::from)
                    .collect(),
            }),
            (None, members) if members.len() >= 2 => Ok(Self {
                relay,
                members: members.to_vec(),
            }),
            (None, _) => Err(problem::too_few_members()),
            (Some(other), _) => Err(problem::unknown_layout(other, HENAN)),
        }
    }

    /// The province's platform by itself: its chain and the relay chain, which the cities' platforms join.
    pub(crate) fn province() -> Self {
        Self {
            relay: RELAY.into(),
            members: vec![PROVINCE.into()],
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
        assert_eq!(City::find("kaifeng").unwrap(), City::find("开封").unwrap());
        assert!(City::find("石家庄").is_err());
        assert!(Layout::new(Some("hebei"), &[]).is_err());
        assert!(Layout::new(None, &["a".into()]).is_err());
        assert_eq!(Layout::new(None, &["a".into(), "b".into()]).unwrap().len(), 3);
    }
}
