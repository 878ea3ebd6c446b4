//! The description of the interface.

use crate::Code;
use crate::routes::{consortium, joins, ledger, node, records, register, stream, submit};
use utoipa::OpenApi;

/// Collects the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "YuLian node API 豫链节点接口",
        description = "提交交易、查询区块与存证、获取可离线核验的证明。\n\nSubmit transactions, read blocks and evidence, fetch proofs that verify offline. \
                       Every error has the same body."
    ),
    tags(
        (name = "node", description = "节点 · the node"),
        (name = "chain", description = "链 · the chain"),
        (name = "transactions", description = "交易 · transactions"),
        (name = "blocks", description = "区块 · blocks"),
        (name = "state", description = "状态 · state"),
        (name = "evidence", description = "存证 · evidence"),
        (name = "governance", description = "治理 · governance"),
        (name = "platform", description = "平台 · the platform's chains"),
    ),
    paths(
        node::status, node::metrics, node::health, node::readiness, node::document,
        ledger::info, ledger::genesis,
        submit::one, submit::batch,
        ledger::transaction, ledger::receipt, ledger::transaction_proof,
        ledger::block, ledger::block_bytes, ledger::finality, ledger::headers, ledger::header, stream::blocks,
        ledger::state, ledger::states,
        records::evidence, records::evidence_pack,
        records::validators, records::validator_history, records::organisations, records::accounts, records::account, records::nodes,
        consortium::pending, records::proposals, records::proposal, records::candidate,
        register::chains, register::templates, register::offers,
        joins::ask, joins::list, joins::bytes,
    ),
    components(schemas(crate::ErrorBody)),
)]
struct NodeApi;

/// The OpenAPI 3.1 document of the node's interface, with the catalogue of error codes as a table.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = NodeApi::openapi();
    let info = &mut document.info;
    info.description.get_or_insert_default().push_str(&code_table());
    document
}

fn code_table() -> String {
    let head = "\n\n链自身的规则与模块另有代码，形如 `exec.replayed`、`evidence.already_deposited`。 \
                Refusals by the chain's rules and modules have codes of their own, such as `exec.replayed`.\n\n| code | HTTP | 原因 · what failed | 处理 · what to do |\n|---|---|---|---|\n";
    let row = |code: &Code| {
        let entry = code.entry();
        format!(
            "| `{}` | {} | {} · {} | {} · {} |\n",
            entry.code, entry.status, entry.message, entry.message_en, entry.hint, entry.hint_en
        )
    };
    Code::ALL
        .iter()
        .fold(head.to_string(), |table, code| table + &row(code))
}

/// The document as it is committed in `openapi/node.json` and served: pretty, with a line end.
pub fn document_json() -> String {
    let mut text = openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
