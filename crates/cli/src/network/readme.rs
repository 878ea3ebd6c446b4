//! The text that goes with a network's folders: what to carry where, which ports to open, what to keep secret.

use super::plan::{Holder, Plan};
use std::fmt::Write;

/// `README.md` of a network, in both languages since its readers are many.
pub(super) fn readme(plan: &Plan, folders: &[String]) -> String {
    let genesis = &plan.genesis;
    let mut out = format!(
        "# {name}\n\n\
         创世摘要 / genesis digest: `{digest}`\n\n\
         请各方通过独立渠道核对创世摘要，并用 `yulian trust add {digest}` 加入可信列表。\n\
         Compare the genesis digest over independent channels and add it by `yulian trust add {digest}`.\n\n\
         ## 节点 / Nodes\n\n\
         把每个文件夹交给它的机构，放到对应的主机上，然后运行 `yulian node run --config node.toml`。\n\
         Give each folder to its organisation, put it on the host, and run `yulian node run --config node.toml`.\n\n\
         | 文件夹 folder | 云 cloud | 机构 organisation | 节点间地址 peers | 接口 API | 私钥 key |\n\
         |---|---|---|---|---|---|\n",
        name = genesis.message.name,
        digest = genesis.chain_id,
    );
    for (planned, folder) in plan.nodes.iter().zip(folders) {
        let node = &planned.node;
        let key = match &planned.key {
            Holder::Here(_) => "`node.pem`",
            Holder::Elsewhere(_) => "由机构自备，放到 `node.pem` / the organisation's own, put it at `node.pem`",
        };
        let (peer, api) = (node.peer_address(), node.api_port);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| `{folder}` | {} | {} | {peer} | 127.0.0.1:{api} | {key} |",
            node.cloud, node.organisation
        );
    }
    out.push_str(
        "\n## 端口 / Ports\n\n\
         * 节点间端口（TCP）：每个节点必须能连到其他所有节点。链路自带 SM2 握手与 SM4-GCM 加密。\n\
         * Peer port (TCP): every node must reach every other one. Links are authenticated by SM2 and encrypted by SM4-GCM.\n\
         * 接口端口只在本机监听；拓扑文件的 `api_clients` 列出的主机除外，防火墙只放行它们。\n\
         * The API port listens on the machine itself, but for the hosts of `api_clients` in the topology, which alone the packet filter lets in.\n\
         * 各主机时钟相差不得超过数秒：请启用 NTP。\n\
         * The clocks of the hosts may differ by a few seconds at most: run NTP.\n\n\
         每个文件夹里的 `firewall.nft` 是该主机的防火墙规则（nftables），加载：`nft -f firewall.nft`。\n\
         `firewall.nft` in each folder is the packet filter of that host (nftables), loaded by `nft -f firewall.nft`.\n",
    );
    out.push_str("\n## 账户 / Accounts\n\n| 机构 organisation | 账户 account | 私钥 key |\n|---|---|---|\n");
    for organisation in &plan.organisations {
        for (name, holder) in &organisation.accounts {
            let key = match holder {
                Holder::Here(_) => format!("`organisations/{}/{name}.pem`", organisation.id),
                Holder::Elsewhere(public) => format!("{public}"),
            };
            let _ = writeln!(out, "| {} | {name} | {key} |", organisation.id);
        }
    }
    out.push_str(
        "\n私钥文件权限为 0600，未加密。请分别交给所属机构，用 `yulian key encrypt` 加密保存，并从这里删除。\n\
         The private key files have mode 0600 and are not encrypted. Hand each to its organisation, which encrypts it by\n\
         `yulian key encrypt`, and remove it here.\n",
    );
    out
}
