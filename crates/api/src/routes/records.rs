//! Evidence, members of the consortium, governance.

use crate::{
    ApiError, ChainService, Code, DigestText, EvidenceFilter, Service,
    extract::{ChainPath, PageQuery, Path, Query, chain, name, page, parse},
    gate::Context,
    routes::json_bytes,
    views::*,
};
use axum::{Json, extract::State, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which evidence records: a digest, or a depositor, or a range of time.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceQuery {
    /// Records of this digest, one for each organisation.
    #[param(value_type = Option<DigestText>)]
    digest: Option<String>,
    /// Records that this account deposited, newest first.
    #[param(value_type = Option<DigestText>)]
    depositor: Option<String>,
    /// Records deposited at this block time or later, oldest first, ms since 1970-01-01 UTC.
    from: Option<u64>,
    /// Records deposited before this block time, ms since 1970-01-01 UTC.
    to: Option<u64>,
    /// `next` of the page before; the first page when absent.
    #[param(max_length = 256)]
    cursor: Option<String>,
    /// Most items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

impl EvidenceQuery {
    fn filter(&self) -> Result<EvidenceFilter, ApiError> {
        let time = (self.from.is_some() || self.to.is_some()).then(|| EvidenceFilter::Time {
            from_ms: self.from.unwrap_or_default(),
            to_ms: self.to.unwrap_or(u64::MAX),
        });
        match (&self.digest, &self.depositor, time) {
            (Some(digest), None, None) => Ok(EvidenceFilter::Digest(parse("digest", digest)?)),
            (None, Some(account), None) => Ok(EvidenceFilter::Depositor(parse("depositor", account)?)),
            (None, None, Some(time)) => Ok(time),
            _ => Err(ApiError::new(Code::BadParameter).with_detail(
                &"请只用 digest、depositor、from/to 三者之一",
                &"give one of digest, depositor, from/to",
            )),
        }
    }
}

/// Path of an evidence record.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct EvidencePath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Digest of the record, 64 hexadecimal digits.
    #[param(value_type = DigestText)]
    digest: String,
}

/// Whose record.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackQuery {
    /// The organisation that deposited it; needed where several did.
    #[param(max_length = 64)]
    organisation: Option<String>,
}

/// Path of an organisation.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OrganisationPath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Id of the organisation.
    organisation: String,
}

/// Path of an account.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AccountPath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Account id (64 hexadecimal digits) or a public key that belongs or belonged to it (66).
    account: String,
}

/// Path of a proposal.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ProposalPath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Number of the proposal.
    proposal: u64,
}

/// 查询存证 · Evidence records by digest, by depositor, or by time
#[utoipa::path(get, path = "/v1/chains/{chain}/evidence", tag = "evidence", params(ChainPath, EvidenceQuery),
    responses((status = 200, description = "records", body = EvidencePage), ApiError))]
pub(crate) async fn evidence<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<EvidenceQuery>,
) -> Result<Json<EvidencePage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let filter = query.filter()?;
    let page = page(query.cursor, query.limit)?;
    chain.evidence(filter, page).await.map(Json)
}

/// 存证证据包 · The evidence pack of a record, verifiable offline; its format is in docs/formats.md
#[utoipa::path(get, path = "/v1/chains/{chain}/evidence/{digest}/pack", tag = "evidence", params(EvidencePath, PackQuery),
    responses((status = 200, description = "pack", body = serde_json::Value), ApiError))]
pub(crate) async fn evidence_pack<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<EvidencePath>,
    Query(query): Query<PackQuery>,
) -> Result<Response, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let digest = parse("digest", &path.digest)?;
    let organisation = query.organisation.as_deref();
    let organisation = organisation.map(|text| name("organisation", text)).transpose()?;
    chain.evidence_pack(digest, organisation).await.map(json_bytes)
}

/// 当前与下一届验证节点 · Validators in force and next
#[utoipa::path(get, path = "/v1/chains/{chain}/validators", tag = "governance", params(ChainPath),
    responses((status = 200, description = "validators", body = ValidatorsView), ApiError))]
pub(crate) async fn validators<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Json<ValidatorsView>, ApiError> {
    chain(&context.service, &path.chain)?.validators().await.map(Json)
}

/// 验证节点变更史 · Every change of the validator set since genesis, each final under the set before it
#[utoipa::path(get, path = "/v1/chains/{chain}/validator-history", tag = "governance", params(ChainPath, PageQuery),
    responses((status = 200, description = "changes", body = ValidatorHistory), ApiError))]
pub(crate) async fn validator_history<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<ValidatorHistory>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.validator_history(query.page()?).await.map(Json)
}

/// 机构列表 · Organisations
#[utoipa::path(get, path = "/v1/chains/{chain}/organisations", tag = "governance", params(ChainPath, PageQuery),
    responses((status = 200, description = "organisations", body = OrganisationPage), ApiError))]
pub(crate) async fn organisations<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<OrganisationPage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.organisations(query.page()?).await.map(Json)
}

/// 机构的账户 · Accounts of an organisation, in ascending order of id, frozen ones too
#[utoipa::path(get, path = "/v1/chains/{chain}/organisations/{organisation}/accounts", tag = "governance",
    params(OrganisationPath, PageQuery),
    responses((status = 200, description = "accounts", body = AccountPage), ApiError))]
pub(crate) async fn accounts<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<OrganisationPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<AccountPage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let organisation = name("organisation", &path.organisation)?;
    chain.accounts(organisation, query.page()?).await.map(Json)
}

/// 查询账户 · An account by id or by public key
#[utoipa::path(get, path = "/v1/chains/{chain}/accounts/{account}", tag = "governance", params(AccountPath),
    responses((status = 200, description = "account", body = AccountView), ApiError))]
pub(crate) async fn account<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<AccountPath>,
) -> Result<Json<AccountView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.account(parse("account", &path.account)?).await.map(Json)
}

/// 节点列表 · Nodes that may connect
#[utoipa::path(get, path = "/v1/chains/{chain}/nodes", tag = "governance", params(ChainPath, PageQuery),
    responses((status = 200, description = "nodes", body = NodePage), ApiError))]
pub(crate) async fn nodes<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<NodePage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.nodes(query.page()?).await.map(Json)
}

/// 提案列表 · Proposals, newest first
#[utoipa::path(get, path = "/v1/chains/{chain}/proposals", tag = "governance", params(ChainPath, PageQuery),
    responses((status = 200, description = "proposals", body = ProposalPage), ApiError))]
pub(crate) async fn proposals<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<ProposalPage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.proposals(query.page()?).await.map(Json)
}

/// 查询提案 · A proposal with its votes
#[utoipa::path(get, path = "/v1/chains/{chain}/proposals/{proposal}", tag = "governance", params(ProposalPath),
    responses((status = 200, description = "proposal", body = ProposalView), ApiError))]
pub(crate) async fn proposal<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ProposalPath>,
) -> Result<Json<ProposalView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.proposal(path.proposal).await.map(Json)
}

/// 候选证明 · What this node signs to become a validator or to be registered
#[utoipa::path(get, operation_id = "candidate_proof", path = "/v1/chains/{chain}/candidate-proof", tag = "governance", params(ChainPath),
    responses((status = 200, description = "signed by this node", body = CandidateView), ApiError))]
pub(crate) async fn candidate<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Json<CandidateView>, ApiError> {
    chain(&context.service, &path.chain)?.candidate().await.map(Json)
}
