//! Which part of the 1+19 a platform plays: the province with the relay chain, or a city that joins it.

use super::layout::Owner;
use crate::{
    fusion::{City, Layout},
    platform::JoinUrl,
    problem::Result,
    text::problem,
};
use clap::ValueEnum;
use std::path::PathBuf;

/// First port of the first city's platform where no other is named; each further city has the next [`PORTS`].
const CITY_PORT_BASE: u16 = 18_400;
/// Ports of a platform: those of the APIs, and as many for peers.
const PORTS: u16 = 200;

/// What `--role` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// The province's platform.
    Province,
    /// A city's.
    City,
}

/// What is built once the nodes are ready.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// A fusion network of this platform's own chains.
    Fusion(Layout),
    /// A city's chain; and the province's platform that it joins, if it is named.
    City(String, Option<JoinUrl>),
}

/// What the command line asks for, with the defaults that follow from it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) part: Option<Part>,
    pub(crate) owner: Owner,
    /// Folder and first port, where they are others than usual.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) port_base: Option<u16>,
}

impl Wanted {
    /// # Errors
    /// Options that do not belong together, an unknown topology or city, an address that is none.
    pub(super) fn new(
        topology: Option<&str>,
        role: Option<Role>,
        city: Option<&str>,
        join: Option<&str>,
    ) -> Result<Self> {
        match (topology, role, city, join) {
            (None, None, None, None) => Ok(Self::default()),
            (Some(named), None, None, None) => Ok(Self {
                part: Some(Part::Fusion(Layout::new(Some(named), &[])?)),
                ..Self::default()
            }),
            (None, Some(Role::Province), None, None) => Ok(Self {
                part: Some(Part::Fusion(Layout::province())),
                owner: Owner {
                    platform: "河南省级平台".into(),
                    id: "henan-data".into(),
                    name: "河南省行政审批和政务信息管理局".into(),
                },
                ..Self::default()
            }),
            (None, Some(Role::City), Some(city), join) => Self::city(city, join),
            _ => Err(problem::bad_role()),
        }
    }

    fn city(named: &str, join: Option<&str>) -> Result<Self> {
        let (at, city) = City::find(named)?;
        let join = join.map(JoinUrl::parse).transpose()?;
        Ok(Self {
            part: Some(Part::City(city.name.into(), join)),
            owner: Owner {
                platform: format!("{}平台", city.name),
                id: format!("{}-data", city.id),
                name: format!("{}大数据管理机构", city.name),
            },
            dir: Some(PathBuf::from(format!("./yulian-{}", city.id))),
            // There are nineteen.
            port_base: Some(CITY_PORT_BASE + PORTS * at as u16),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_do_not_belong_together_are_refused() {
        let new = |topology, role, city, join| Wanted::new(topology, role, city, join).map(|_| ());
        for wrong in [
            new(Some("henan"), Some(Role::Province), None, None),
            new(None, Some(Role::City), None, None),
            new(None, None, Some("郑州"), None),
            new(None, Some(Role::Province), None, Some("http://a:1")),
            new(None, Some(Role::Province), Some("郑州"), None),
        ] {
            assert_eq!(wrong.unwrap_err().code(), "bad_role");
        }
        assert!(new(None, Some(Role::City), Some("郑州"), None).is_ok());
        assert!(new(None, Some(Role::City), Some("郑州"), Some("ftp://x")).is_err());
    }

    #[test]
    fn platforms_on_one_machine_share_nothing() {
        let of = |city| Wanted::new(None, Some(Role::City), Some(city), None).unwrap();
        let (first, last) = (of("郑州"), of("航空港区"));
        assert_eq!((first.port_base, last.port_base), (Some(18_400), Some(22_000)));
        assert_ne!(first.dir, last.dir);
        assert_ne!(first.owner.id, last.owner.id);
    }
}
