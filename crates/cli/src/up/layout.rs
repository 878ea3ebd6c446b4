//! The network that `yulian up` makes: the four clouds, their organisations, and the authority that deposits.

use crate::{
    network::topology::{Account, Capacity, EPOCH_LENGTH_DEFAULT, Node, Organisation, Topology},
    problem::Result,
    text::problem,
};
use yulian_exec::rules::{ROLE_ADMIN, ROLE_AUDITOR, ROLE_REGULATOR, ROLE_WRITER};
use yulian_types::faults_max;

/// Fewest nodes.
const NODES_MIN: usize = 4;
/// Most nodes.
const NODES_MAX: usize = 16;
/// Ports from the first API port to the first peer port.
pub(crate) const PEER_PORT_OFFSET: u16 = 100;
/// Chains that each node of the network offers to host.
const CHAINS: u32 = 256;
/// Disk space that their quotas may add up to, MiB. Quotas bound what is used, they take nothing beforehand.
const STORAGE_MIB: u32 = 4 << 20;
/// Where everything listens.
const HOST: &str = "127.0.0.1";

/// Whose platform it is: its name, and the authority that deposits.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// Name of the system chain.
    pub(crate) platform: String,
    /// Id of the authority.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

impl Default for Owner {
    fn default() -> Self {
        Self {
            platform: "河南豫链".into(),
            id: "zhengzhou-data".into(),
            name: "郑州市大数据管理局".into(),
        }
    }
}

struct Cloud {
    cloud: &'static str,
    node: &'static str,
    organisation: &'static str,
    name: &'static str,
}

const CLOUDS: [Cloud; 4] = [
    Cloud {
        cloud: "联通",
        node: "unicom",
        organisation: "henan-unicom",
        name: "河南联通",
    },
    Cloud {
        cloud: "移动",
        node: "mobile",
        organisation: "henan-mobile",
        name: "河南移动",
    },
    Cloud {
        cloud: "电信",
        node: "telecom",
        organisation: "henan-telecom",
        name: "河南电信",
    },
    Cloud {
        cloud: "浪潮",
        node: "inspur",
        organisation: "inspur-cloud",
        name: "浪潮云",
    },
];

/// A network of `nodes` validators, dealt to the clouds in turn.
pub(crate) fn topology(nodes: usize, port_base: u16, owner: &Owner) -> Result<Topology> {
    if !fits(nodes) {
        let possible: Vec<String> = (NODES_MIN..=NODES_MAX)
            .filter(|n| fits(*n))
            .map(|n| n.to_string())
            .collect();
        return Err(problem::bad_node_count(nodes, possible.join(", ")));
    }
    let last = usize::from(port_base) + usize::from(PEER_PORT_OFFSET) + nodes - 1;
    if port_base < 1024 || last > usize::from(u16::MAX) {
        return Err(problem::bad_port_base(port_base));
    }
    Ok(Topology {
        name: owner.platform.clone(),
        epoch_length: EPOCH_LENGTH_DEFAULT,
        parameters: Default::default(),
        accept_risk: None,
        charter: None,
        offer: Some(Capacity {
            chains: CHAINS,
            storage_mib: STORAGE_MIB,
        }),
        organisations: organisations(owner),
        nodes: (0..nodes).map(|at| node(at, port_base)).collect(),
    })
}

/// Whether no cloud gets more than ⌊(n−1)/3⌋ validators.
fn fits(nodes: usize) -> bool {
    (NODES_MIN..=NODES_MAX).contains(&nodes) && nodes.div_ceil(CLOUDS.len()) <= faults_max(nodes)
}

fn organisations(owner: &Owner) -> Vec<Organisation> {
    let operator = |cloud: &Cloud| Organisation {
        id: cloud.organisation.into(),
        name: cloud.name.into(),
        member: true,
        accounts: vec![Account::new("admin", &[ROLE_ADMIN, ROLE_WRITER])],
    };
    let authority = Organisation {
        id: owner.id.clone(),
        name: owner.name.clone(),
        member: true,
        accounts: vec![
            Account::new("admin", &[ROLE_ADMIN]),
            Account::new("writer", &[ROLE_WRITER]),
            Account::new("relay", &[ROLE_AUDITOR]),
            Account::new("regulator", &[ROLE_REGULATOR]),
        ],
    };
    CLOUDS.iter().map(operator).chain([authority]).collect()
}

fn node(at: usize, port_base: u16) -> Node {
    let cloud = &CLOUDS[at % CLOUDS.len()];
    // `topology` has checked that all ports exist.
    let api_port = port_base + at as u16;
    Node {
        name: format!("{}-{}", cloud.node, at / CLOUDS.len() + 1),
        cloud: cloud.cloud.into(),
        organisation: cloud.organisation.into(),
        host: HOST.into(),
        peer_port: api_port + PEER_PORT_OFFSET,
        api_port,
        validator: true,
        public_key: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::plan::Plan;

    #[test]
    fn numbers_of_nodes_that_four_clouds_can_share() {
        // Counted by hand: with 5, 6 and 9 one cloud would get more than the set tolerates.
        let possible: Vec<usize> = (0..20)
            .filter(|nodes| topology(*nodes, 18000, &Owner::default()).is_ok())
            .collect();
        assert_eq!(possible, [4, 7, 8, 10, 11, 12, 13, 14, 15, 16]);
        assert_eq!(
            topology(5, 18000, &Owner::default()).unwrap_err().code(),
            "bad_node_count"
        );
        for port in [0, 80, 65_500] {
            assert_eq!(
                topology(4, port, &Owner::default()).unwrap_err().code(),
                "bad_port_base"
            );
        }
    }

    #[test]
    fn every_one_of_them_starts_a_chain() {
        for nodes in [4, 7, 8, 10, 11, 12, 13, 14, 15, 16] {
            let plan = Plan::new(&topology(nodes, 18000, &Owner::default()).unwrap(), 1_793_491_200_000).unwrap();
            assert_eq!(plan.genesis.validators.len(), nodes);
            assert_eq!(plan.genesis.message.organisations.len(), 5);
        }
    }
}
