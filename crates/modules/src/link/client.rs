//! Light clients of other chains.

use super::{
    AHEAD_MS_MAX, CLIENTS_MAX, HEADER_BYTE_COST, HEADERS_KEPT_MAX, HEADERS_MAX, RANGES_KEPT_MAX, SET_CHANGES_MAX,
    agreement, codes, parse_chain, proof, tables,
};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, limits::cost, rules};
use yulian_light::{FinalHeader, SetChange, SetRange, ValidatorHistory, verify_headers};
use yulian_types::{
    SealedGenesis, StateKey, ValidatorSet, block_digest, decode_canonical, decode_header,
    limits::STATE_VALUE_BYTES_MAX,
    proto::{
        BlockHeader, IntroduceLink, LinkClient, LinkConflict, LinkHeader, LinkList, LinkProof, LinkRange,
        LinkSetChange, LinkUpdate, OpenLink,
    },
    state_keys::{LINK_ACTIVE, LINK_ENDED, LINK_FROZEN},
};

/// The light client of a chain, whatever its status.
pub(super) fn find(call: &mut Call<'_>, chain: &Digest) -> Result<Option<LinkClient>, Failure> {
    call.record(&StateKey::link_client(chain), "light client")
}

pub(super) fn known(call: &mut Call<'_>, chain: &Digest) -> Result<LinkClient, Failure> {
    find(call, chain)?.ok_or_else(|| Failure::new(&codes::UNKNOWN_CHAIN, chain.to_string()))
}

/// The light client of a chain, if what it proves counts.
pub(super) fn active(call: &mut Call<'_>, chain: &Digest) -> Result<LinkClient, Failure> {
    let client = known(call, chain)?;
    match client.status {
        LINK_ACTIVE => {}
        LINK_FROZEN => return Err(Failure::new(&codes::CLIENT_FROZEN, chain.to_string())),
        _ => return Err(Failure::new(&codes::CLIENT_ENDED, chain.to_string())),
    }
    check_age(call, &client, client.time_ms)?;
    Ok(client)
}

/// Within the trust period a quorum that lies can still be called to account; later its keys may be anybody's.
pub(super) fn check_age(call: &Call<'_>, client: &LinkClient, time_ms: u64) -> Result<(), Failure> {
    let now = call.block().time_ms;
    if now > time_ms.saturating_add(client.trust_period_ms) {
        let detail = format!(
            "a header of {time_ms}, block time {now}, trusted for {} ms",
            client.trust_period_ms
        );
        return Err(Failure::new(&codes::TRUST_EXPIRED, detail));
    }
    Ok(())
}

/// This chain's relay.
pub(super) fn relay(call: &mut Call<'_>) -> Result<Option<Digest>, Failure> {
    Ok(call
        .get(&StateKey::relay_chain())?
        .and_then(|bytes| Digest::from_slice(&bytes)))
}

/// A point from which a client is trusted.
struct Start {
    height: u64,
    digest: Digest,
    time_ms: u64,
    /// Absent at genesis, whose header proves nothing.
    state_root: Option<Bytes>,
    since: u64,
    set: ValidatorSet,
}

impl Start {
    fn genesis(genesis: &SealedGenesis) -> Self {
        Self {
            height: 0,
            digest: genesis.block().digest,
            time_ms: genesis.message.time_ms,
            state_root: None,
            since: 0,
            set: genesis.validators.clone(),
        }
    }

    /// A header whose digest somebody vouched for, with its set.
    fn header(genesis: &SealedGenesis, header: &Bytes, set: &Bytes) -> Result<Self, Failure> {
        let refused = |reason: String| Failure::new(&codes::BAD_START, reason);
        let message = decode_header(header).map_err(|error| refused(error.to_string()))?;
        let set = ValidatorSet::decode(set).map_err(|error| refused(error.to_string()))?;
        if message.chain_id[..] != genesis.chain_id.0 || message.height == 0 {
            return Err(refused("the header is of another chain or that of genesis".into()));
        }
        if message.validators[..] != set.digest().0 {
            return Err(refused("the header names other validators".into()));
        }
        Ok(Self {
            height: message.height,
            digest: block_digest(header),
            time_ms: message.time_ms,
            state_root: Some(message.parent_state_root),
            since: message.validators_since,
            set,
        })
    }
}

fn decode_genesis(call: &mut Call<'_>, bytes: &Bytes) -> Result<SealedGenesis, Failure> {
    call.charge(HEADER_BYTE_COST.saturating_mul(bytes.len() as u64))?;
    SealedGenesis::decode(bytes).map_err(|error| Failure::new(&codes::BAD_GENESIS, error.to_string()))
}

/// Opens the client of a chain that was agreed upon.
pub(super) fn open(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: OpenLink = call.decode(arguments)?;
    let genesis = decode_genesis(call, &arguments.genesis)?;
    let chain = genesis.chain_id;
    let agreed = agreement::open_of(call, &chain)?;
    let start = match &agreed.start {
        None => Start::genesis(&genesis),
        Some(point) => {
            let start = Start::header(&genesis, &arguments.header, &arguments.validators)?;
            if start.height != point.height || start.digest.0 != point.digest[..] {
                return Err(Failure::new(&codes::BAD_START, "not the header that was agreed upon"));
            }
            start
        }
    };
    let client = LinkClient {
        name: agreed.name.clone(),
        trust_period_ms: agreed.trust_period_ms,
        relay: agreed.relay,
        direct: agreed.direct,
        ..Default::default()
    };
    begin(call, &genesis, start, client)?;
    agreement::relay_effect(call, &chain, agreed.relay)?.write(call)?;
    call.delete(&StateKey::link_agreement(&chain))?;
    Ok(Bytes::new())
}

/// Opens the client of a chain that the relay knows, at the relay's last header of it.
pub(super) fn introduce(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: IntroduceLink = call.decode(arguments)?;
    let relay = relay(call)?.ok_or_else(|| Failure::from(&codes::NO_RELAY))?;
    let genesis = decode_genesis(call, &arguments.genesis)?;
    let chain = genesis.chain_id;
    if let Some(present) = find(call, &chain)? {
        // What a vote decided, and what is frozen, the relay does not change.
        let expired = check_age(call, &present, present.time_ms).is_err();
        if !(present.introduced && present.status == LINK_ACTIVE && expired) {
            return Err(Failure::new(&codes::ALREADY_OPEN, chain.to_string()));
        }
    }
    let word = LinkProof {
        height: arguments.height,
        proof: arguments.proof,
    };
    proof::verify(
        call,
        &relay,
        Some(&word),
        &StateKey::link_client(&chain),
        Some(&arguments.client),
    )?;
    let vouched: LinkClient = decode_canonical(&arguments.client, STATE_VALUE_BYTES_MAX)
        .map_err(|error| Failure::new(&codes::BAD_START, error.to_string()))?;
    if vouched.status != LINK_ACTIVE {
        return Err(Failure::new(
            &codes::BAD_START,
            "the relay does not trust the chain any more",
        ));
    }
    if !rules::is_label(&vouched.name) {
        return Err(Failure::new(&codes::BAD_NAME, "as the relay calls it"));
    }
    let start = if vouched.height == 0 {
        Start::genesis(&genesis)
    } else {
        Start::header(&genesis, &arguments.header, &arguments.validators)?
    };
    if start.height != vouched.height || start.digest.0 != vouched.digest[..] {
        return Err(Failure::new(
            &codes::BAD_START,
            "not the last header that the relay knows",
        ));
    }
    let client = LinkClient {
        name: vouched.name,
        // How long a header counts is this chain's own decision: it agreed on a period for its relay.
        trust_period_ms: known(call, &relay)?.trust_period_ms,
        introduced: true,
        ..Default::default()
    };
    begin(call, &genesis, start, client)?;
    Ok(Bytes::new())
}

fn begin(call: &mut Call<'_>, genesis: &SealedGenesis, start: Start, settings: LinkClient) -> Result<(), Failure> {
    let chain = genesis.chain_id;
    if chain == call.block().chain_id {
        return Err(Failure::new(
            &codes::BAD_CHAIN_ID,
            "a chain keeps no light client of itself",
        ));
    }
    let mut client = LinkClient {
        chain_id: chain.to_vec().into(),
        epoch_length: genesis.message.epoch_length,
        status: LINK_ACTIVE,
        height: start.height,
        digest: start.digest.to_vec().into(),
        time_ms: start.time_ms,
        ranges: vec![LinkRange {
            first_height: start.since,
            validators: start.set.digest().to_vec().into(),
            ended_ms: 0,
        }],
        opened_height: call.block().height,
        updated_height: call.block().height,
        ..settings
    };
    check_age(call, &client, start.time_ms)?;
    check_ahead(call, start.time_ms)?;
    match find(call, &chain)? {
        Some(old) => forget(call, &chain, &old)?,
        None => enlist(call, &chain)?,
    }
    call.put(&tables::set(&chain, &start.set.digest().0), start.set.encode())?;
    if let Some(state_root) = start.state_root {
        client.heights.push(start.height);
        let kept = LinkHeader {
            digest: client.digest.clone(),
            time_ms: start.time_ms,
            state_root,
        };
        call.put_record(&StateKey::link_header(&chain, start.height), &kept)?;
    }
    call.put_record(&StateKey::link_client(&chain), &client)?;
    call.emit("client_opened", chain.to_vec().into())
}

fn enlist(call: &mut Call<'_>, chain: &Digest) -> Result<(), Failure> {
    let mut list: LinkList = call
        .record(&StateKey::link_list(), "list of links")?
        .unwrap_or_default();
    if list.chains.len() >= CLIENTS_MAX {
        return Err(Failure::new(&codes::TOO_MANY, format!("{CLIENTS_MAX} chains")));
    }
    list.chains.push(chain.to_vec().into());
    call.put_record(&StateKey::link_list(), &list)
}

/// Nothing of an earlier client stays when another start takes its place.
fn forget(call: &mut Call<'_>, chain: &Digest, client: &LinkClient) -> Result<(), Failure> {
    for height in &client.heights {
        call.delete(&StateKey::link_header(chain, *height))?;
    }
    for range in &client.ranges {
        call.delete(&tables::set(chain, &range.validators))?;
    }
    Ok(())
}

fn check_ahead(call: &Call<'_>, time_ms: u64) -> Result<(), Failure> {
    let now = call.block().time_ms;
    if time_ms > now.saturating_add(AHEAD_MS_MAX) {
        let detail = format!("a header of {time_ms}, block time {now}");
        return Err(Failure::new(&codes::HEADER_AHEAD, detail));
    }
    Ok(())
}

/// The sets of a client from the one in force at a height on.
fn history_from(call: &mut Call<'_>, client: &LinkClient, height: u64) -> Result<ValidatorHistory, Failure> {
    let chain = parse_chain(&client.chain_id)?;
    let epoch_length = client.epoch_length.max(1);
    let after = client.ranges.partition_point(|range| range.first_height <= height);
    let mut ranges = Vec::new();
    for range in &client.ranges[after.saturating_sub(1)..] {
        let bytes = call.get(&tables::set(&chain, &range.validators))?;
        call.charge(HEADER_BYTE_COST.saturating_mul(bytes.as_ref().map_or(0, Bytes::len) as u64))?;
        let set = bytes.and_then(|bytes| ValidatorSet::decode(&bytes).ok());
        let set = set.ok_or_else(|| call.broken("light client", "a validator set is missing"))?;
        ranges.push(SetRange {
            first_epoch: range.first_height / epoch_length,
            first_height: range.first_height,
            validators: Arc::new(set),
        });
    }
    if ranges.is_empty() {
        return Err(call.broken("light client", "no validator set"));
    }
    Ok(ValidatorHistory::vouched(chain, epoch_length, ranges))
}

/// An update that holds: its first header, and the client's ranges with those that it proved, whose sets are new.
struct Verified {
    header: FinalHeader,
    ranges: Vec<LinkRange>,
    new_sets: Vec<Arc<ValidatorSet>>,
}

/// A set signs for the heights at which it was in force, and is believed for one trust period after its last: its keys may then be
/// anybody's, and the time that a header states is what they like.
fn check_range(call: &Call<'_>, client: &LinkClient, header: &BlockHeader, ended_ms: u64) -> Result<(), Failure> {
    if ended_ms == 0 {
        return Ok(());
    }
    check_age(call, client, ended_ms)?;
    match header.time_ms <= ended_ms {
        true => Ok(()),
        false => Err(Failure::new(
            &codes::HEADER_FAILS,
            "later than the end of the set that signed it",
        )),
    }
}

/// Heights and times of kept headers ascend together.
fn check_neighbours(call: &mut Call<'_>, client: &LinkClient, header: &BlockHeader) -> Result<(), Failure> {
    let chain = parse_chain(&client.chain_id)?;
    let at = client.heights.partition_point(|height| *height < header.height);
    let before = at.checked_sub(1).map(|at| client.heights[at]);
    let after = client.heights[at..]
        .iter()
        .find(|height| **height > header.height)
        .copied();
    let time = |call: &mut Call<'_>, height: Option<u64>| -> Result<Option<u64>, Failure> {
        let Some(height) = height else { return Ok(None) };
        let kept: Option<LinkHeader> = call.record(&StateKey::link_header(&chain, height), "kept header")?;
        Ok(kept.map(|kept| kept.time_ms))
    };
    let (earlier, later) = (time(call, before)?, time(call, after)?);
    let holds = earlier.is_none_or(|time| time < header.time_ms) && later.is_none_or(|time| header.time_ms < time);
    holds
        .then_some(())
        .ok_or_else(|| Failure::new(&codes::HEADER_FAILS, "its time does not lie between its neighbours'"))
}

fn verify_update(call: &mut Call<'_>, client: &LinkClient, update: &LinkUpdate) -> Result<Verified, Failure> {
    let refused = |reason: String| Failure::new(&codes::HEADER_FAILS, reason);
    let (changes, headers) = (update.set_changes.len(), update.headers.len());
    if changes > SET_CHANGES_MAX || headers > HEADERS_MAX || headers == 0 {
        return Err(refused(format!("{changes} changes and {headers} headers")));
    }
    let first = decode_header(&update.headers[0]).map_err(|error| refused(error.to_string()))?;
    let mut history = history_from(call, client, first.height)?;
    let of_changes = |change: &LinkSetChange| change.header.len() + change.validators.len();
    let bytes: usize = update.headers.iter().map(Bytes::len).sum();
    let bytes = bytes + update.set_changes.iter().map(of_changes).sum::<usize>();
    call.charge(HEADER_BYTE_COST.saturating_mul(bytes as u64))?;
    let (mut ranges, mut new_sets) = (client.ranges.clone(), Vec::new());
    for change in &update.set_changes {
        charge_signatures(call, &history)?;
        let change = SetChange {
            header: change.header.clone(),
            finality: change.finality.clone(),
            validators: change.validators.clone(),
        };
        let applied = history.apply(&change, call.verifier());
        applied.map_err(|error| refused(error.to_string()))?;
        let last = decode_header(&change.header).map_err(|error| refused(error.to_string()))?;
        check_ahead(call, last.time_ms)?;
        if let Some(before) = ranges.last_mut() {
            before.ended_ms = last.time_ms;
        }
        if let Some(new) = history.ranges().last() {
            ranges.push(LinkRange {
                first_height: new.first_height,
                validators: new.validators.digest().to_vec().into(),
                ended_ms: 0,
            });
            new_sets.push(new.validators.clone());
        }
    }
    charge_signatures(call, &history)?;
    let verified = verify_headers(&history, &update.headers, &update.finality, call.verifier());
    let header = verified.map_err(|error| refused(error.to_string()))?.first().clone();
    if header.height() == 0 {
        return Err(refused("the header of genesis proves nothing".into()));
    }
    check_age(call, client, header.header().time_ms)?;
    check_ahead(call, header.header().time_ms)?;
    let after = ranges.partition_point(|range| range.first_height <= header.height());
    check_range(call, client, header.header(), ranges[after.saturating_sub(1)].ended_ms)?;
    Ok(Verified {
        header,
        ranges,
        new_sets,
    })
}

/// As many signatures as the last set can make.
fn charge_signatures(call: &mut Call<'_>, history: &ValidatorHistory) -> Result<(), Failure> {
    let most = history
        .ranges()
        .iter()
        .map(|range| range.validators.len())
        .max()
        .unwrap_or(0);
    call.charge(cost::SIGNATURE.saturating_mul(most as u64))
}

/// Takes a header of another chain. One that is kept already changes nothing; one that contradicts it freezes the client.
pub(super) fn update(call: &mut Call<'_>, update: &LinkUpdate) -> Result<(), Failure> {
    let chain = parse_chain(&update.chain_id)?;
    let mut client = active(call, &chain)?;
    let Verified {
        header,
        ranges,
        new_sets,
    } = verify_update(call, &client, update)?;
    let key = StateKey::link_header(&chain, header.height());
    if let Some(kept) = call.record::<LinkHeader>(&key, "kept header")? {
        return match kept.digest[..] == header.digest().0 {
            true => Ok(()),
            false => freeze(call, &chain, client),
        };
    }
    check_neighbours(call, &client, header.header())?;
    keep(call, &chain, &mut client, &header)?;
    for set in new_sets {
        call.put(&tables::set(&chain, &set.digest().0), set.encode())?;
    }
    client.ranges = ranges;
    drop_old_ranges(call, &chain, &mut client)?;
    client.updated_height = call.block().height;
    call.put_record(&StateKey::link_client(&chain), &client)
}

fn keep(call: &mut Call<'_>, chain: &Digest, client: &mut LinkClient, header: &FinalHeader) -> Result<(), Failure> {
    let message = header.header();
    let at = client.heights.partition_point(|height| *height < message.height);
    if client.heights.len() >= HEADERS_KEPT_MAX {
        if at == 0 {
            return Err(Failure::new(&codes::HEADER_TOO_OLD, message.height.to_string()));
        }
        let lowest = client.heights.remove(0);
        call.delete(&StateKey::link_header(chain, lowest))?;
        client.heights.insert(at - 1, message.height);
    } else {
        client.heights.insert(at, message.height);
    }
    if message.height > client.height {
        client.height = message.height;
        client.digest = header.digest().to_vec().into();
        client.time_ms = message.time_ms;
    }
    let kept = LinkHeader {
        digest: header.digest().to_vec().into(),
        time_ms: message.time_ms,
        state_root: message.parent_state_root.clone(),
    };
    call.put_record(&StateKey::link_header(chain, message.height), &kept)
}

fn drop_old_ranges(call: &mut Call<'_>, chain: &Digest, client: &mut LinkClient) -> Result<(), Failure> {
    while client.ranges.len() > RANGES_KEPT_MAX {
        let old = client.ranges.remove(0);
        if client.ranges.iter().all(|range| range.validators != old.validators) {
            call.delete(&tables::set(chain, &old.validators))?;
        }
    }
    Ok(())
}

fn freeze(call: &mut Call<'_>, chain: &Digest, mut client: LinkClient) -> Result<(), Failure> {
    client.status = LINK_FROZEN;
    client.updated_height = call.block().height;
    call.put_record(&StateKey::link_client(chain), &client)?;
    // A start that was voted before the freeze does not lift it.
    call.delete(&StateKey::link_agreement(chain))?;
    call.emit("client_frozen", chain.to_vec().into())
}

/// Two headers of one height, both final: a quorum signed both, so that nothing the chain proves can be believed. Their times are what
/// a forked chain likes, and need not lie between those of kept headers.
pub(super) fn conflict(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: LinkConflict = call.decode(arguments)?;
    let chain = parse_chain(&arguments.chain_id)?;
    let client = active(call, &chain)?;
    let missing = || Failure::new(&codes::NO_CONFLICT, "two headers are expected");
    let first = verify_update(call, &client, arguments.first.as_ref().ok_or_else(missing)?)?.header;
    let second = verify_update(call, &client, arguments.second.as_ref().ok_or_else(missing)?)?.header;
    if first.height() != second.height() || first.digest() == second.digest() {
        let detail = format!("heights {} and {}", first.height(), second.height());
        return Err(Failure::new(&codes::NO_CONFLICT, detail));
    }
    freeze(call, &chain, client)?;
    Ok(Bytes::new())
}

/// Ends a client: nothing it proves counts any more, and packets to the chain can be given up.
pub(super) fn ended(mut client: LinkClient) -> LinkClient {
    client.status = LINK_ENDED;
    client
}
