//! Requests of other platforms' chains to be linked: what is taken, what is refused, and how many wait.

use crate::{
    schema::{Document, Operation},
    world::{Answer, World, digest},
};
use bytes::Bytes;
use yulian_api::{JOIN_AGE_MS_MAX, JOINS_MAX};
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, KEY_CACHE_BYTES, SecretKey},
};
use yulian_light::testing::{TestChain, secret};
use yulian_types::{JoinError, SealedGenesis, SealedJoin};

const PATH: &str = "/v1/chains/default/joins";
const URL: &str = "http://10.0.0.1:18000";

fn genesis(name: &str) -> SealedGenesis {
    TestChain::new(name, 4, 1_000).genesis
}

/// A key of the test genesis whose account has the role.
fn key_of(genesis: &SealedGenesis, role: &str) -> SecretKey {
    let has_role = |number: &u32| {
        let key = yulian_crypto::sm2::Signer::public_key(&secret(*number));
        let accounts = genesis.message.accounts.iter();
        let mut own = accounts.filter(|account| account.public_key[..] == key.as_bytes()[..]);
        own.any(|account| account.roles.iter().any(|own| own == role))
    };
    secret((0..200).find(has_role).expect("an account with the role"))
}

fn now_ms(world: &World) -> u64 {
    world.node.chain.with(|chain| chain.latest().sealed.header.time_ms)
}

fn request(relay: Digest, genesis: &SealedGenesis, time_ms: u64, key: &SecretKey) -> Bytes {
    SealedJoin::sign(relay, genesis, vec![URL.into()], time_ms, key).expect("signed")
}

fn refused(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (422, "bad_join"), "{answer:?}");
}

#[test]
fn a_signed_request_of_today_waits_and_can_be_read_as_it_came() {
    let world = World::new();
    let (relay, city) = (world.node.chain.id(), genesis("城市"));
    let bytes = request(relay, &city, now_ms(&world), &key_of(&city, "admin"));
    let answer = world.post(PATH, bytes.clone());
    assert_eq!(answer.status, 202, "{answer:?}");
    let mut document = Document::new();
    let served = |operation: &Operation| operation.id == "ask_to_join";
    let operation = document.operations().into_iter().find(served).expect("operation");
    document.check_answer(&operation, 202, "application/json", &answer.json());

    let listed = world.get(PATH).json();
    let one = &listed["items"][0];
    assert_eq!(one["chain"], city.chain_id.to_string());
    assert_eq!((&one["name"], &one["urls"][0]), (&"城市".into(), &URL.into()));
    assert_eq!(world.get(&format!("{PATH}/{}", city.chain_id)).body, bytes);
    // Again, later: there is one request of a chain.
    let later = request(relay, &city, now_ms(&world) + 1, &key_of(&city, "admin"));
    assert_eq!(world.post(PATH, later).status, 202);
    assert_eq!(world.get(PATH).json()["items"].as_array().map(Vec::len), Some(1));
    refused(&world.post(PATH, bytes));
    assert_eq!(world.get(&format!("{PATH}/{}", digest(7))).code(), "unknown_join");
}

#[test]
fn what_does_not_hold_is_refused() {
    let world = World::new();
    let (relay, city, now) = (world.node.chain.id(), genesis("城市"), now_ms(&world));
    let admin = key_of(&city, "admin");
    refused(&world.post(PATH, request(digest(1), &city, now, &admin)));
    refused(&world.post(PATH, request(relay, &city, now + JOIN_AGE_MS_MAX + 1, &admin)));
    refused(&world.post(PATH, request(relay, &city, now, &key_of(&city, "writer"))));
    // A key of nobody, and one of another chain's administrator alone.
    let stranger = SecretKey::from_bytes(&[9; 32]).expect("a key");
    refused(&world.post(PATH, request(relay, &city, now, &stranger)));
    let good = request(relay, &city, now, &admin);
    for at in [0, 40, good.len() / 2, good.len() - 1] {
        let mut changed = good.to_vec();
        changed[at] ^= 1;
        refused(&world.post(PATH, changed));
    }
    refused(&world.post(PATH, good.slice(..good.len() - 1)));
    for urls in [
        vec![],
        vec!["ftp://x".into()],
        vec![format!("{URL}{}", "1".repeat(200))],
        vec![URL.into(); 17],
    ] {
        let bytes = SealedJoin::sign(relay, &city, urls, now, &admin).expect("signed");
        let verifier = FastVerifier::new(KEY_CACHE_BYTES);
        assert_eq!(SealedJoin::decode(bytes, &verifier), Err(JoinError::Field("urls")));
    }
    assert_eq!(world.get(PATH).json()["items"].as_array().map(Vec::len), Some(0));
}

#[test]
fn the_oldest_goes_where_too_many_wait() {
    let world = World::new();
    let (relay, now) = (world.node.chain.id(), now_ms(&world));
    for number in 0..=JOINS_MAX {
        let city = genesis(&format!("城市{number}"));
        let bytes = request(relay, &city, now, &key_of(&city, "admin"));
        assert_eq!(world.post(PATH, bytes).status, 202);
    }
    assert_eq!(
        world.get(PATH).json()["items"].as_array().map(Vec::len),
        Some(JOINS_MAX)
    );
}
