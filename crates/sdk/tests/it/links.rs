//! What stands in a chain's state of its links and packets, read many at a time.

use crate::world::{Server, chain, digest, node, serve};
use yulian_crypto::Digest;
use yulian_sdk::{Chain, SdkError, limits::STATE_KEYS_MAX};
use yulian_state::write_set::Write;
use yulian_types::{
    SealedPacket, StateKey, encode,
    proto::{LinkClient, LinkList, NoticeRecord, OutCursor, Packet},
};

fn write(key: StateKey, value: bytes::Bytes) -> Write {
    Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(value),
    }
}

fn packet(source: &Digest, destination: &Digest, sequence: u64) -> SealedPacket {
    let packet = SealedPacket::new(Packet {
        source: source.to_vec().into(),
        destination: destination.to_vec().into(),
        module: "notice".into(),
        method: "post".into(),
        sequence,
        timeout_ms: 1,
        ..Default::default()
    });
    packet.expect("packet")
}

/// A chain with these values; the height after which it has them.
async fn chain_with(values: impl Fn(&Digest) -> Vec<(StateKey, bytes::Bytes)>) -> (Server, Chain, u64) {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let writes = values(&chain.id()).into_iter().map(|(key, value)| write(key, value));
    let height = server
        .node
        .chain
        .with(|chain| chain.push_with(vec![], writes.collect(), None));
    server.node.chain.tick();
    (server, chain, height)
}

#[tokio::test]
async fn packets_that_have_not_ended_are_found_beyond_one_request() {
    let (to, most) = (digest(1), STATE_KEYS_MAX as u64);
    let open = [2, 3, most, most + 1, 2 * most];
    let (_server, chain, height) = chain_with(|own| {
        let sent = open.map(|sequence| packet(own, &to, sequence));
        let cursor = OutCursor {
            next: 2 * most + 6,
            pending: 5,
        };
        let mut values = vec![(StateKey::out_cursor(&to, "notice"), encode(&cursor))];
        values.extend(sent.map(|packet| (packet.sent_key(), packet.bytes)));
        values
    })
    .await;
    let numbers = |packets: &[SealedPacket]| -> Vec<u64> { packets.iter().map(|p| p.message.sequence).collect() };
    let found = chain.open_packets(&to, "notice").await.expect("packets");
    assert_eq!((found.sent, found.pending), (2 * most + 5, 5));
    assert_eq!(numbers(&found.packets), [2 * most, most + 1, most, 3, 2]);
    let (after, some) = chain.packets(&to, "notice", 3..most + 1).await.expect("packets");
    assert_eq!((after, numbers(&some)), (height, vec![3, most]));
    assert_eq!(some[0].bytes, packet(&chain.id(), &to, 3).bytes);
    let none = chain.open_packets(&to, "voucher").await.expect("packets");
    assert_eq!((none.sent, none.pending, none.packets), (0, 0, vec![]));
}

#[tokio::test]
async fn a_packet_in_anothers_place_is_an_error() {
    let to = digest(1);
    for wrong in [packet(&digest(9), &to, 1), packet(&digest(9), &digest(2), 1)] {
        let key = StateKey::packet_sent(&to, "notice", 1);
        let (_server, chain, _) = chain_with(|_| vec![(key.clone(), wrong.bytes.clone())]).await;
        let errors = [
            chain.packets(&to, "notice", 1..2).await.map(|_| ()),
            chain.packet(&to, "notice", 1).await.map(|_| ()),
        ];
        assert!(
            errors.iter().all(|error| matches!(error, Err(SdkError::Answer { .. }))),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn light_clients_come_in_the_order_of_their_chains() {
    let [one, two, three] = [1, 2, 3].map(digest);
    let client = |of: &Digest| LinkClient {
        chain_id: of.to_vec().into(),
        ..Default::default()
    };
    let (_server, chain, _) = chain_with(|_| {
        let list = LinkList {
            chains: [three, one, two].iter().map(|id| id.to_vec().into()).collect(),
        };
        let kept = [three, two].map(|id| (StateKey::link_client(&id), encode(&client(&id))));
        [vec![(StateKey::link_list(), encode(&list))], kept.to_vec()].concat()
    })
    .await;
    assert_eq!(chain.linked_chains().await.expect("list"), [three, one, two]);
    assert_eq!(
        chain.link_clients().await.expect("clients"),
        [client(&three), client(&two)]
    );
    let some = chain.link_clients_of(&[two, one]).await.expect("clients");
    assert_eq!(some, [client(&two)]);
    assert_eq!(chain.link_clients_of(&[]).await.expect("clients"), []);
}

#[tokio::test]
async fn notices_of_several_chains_come_in_their_order() {
    let [one, two, three] = [1, 2, 3].map(digest);
    let record = |sequence| NoticeRecord {
        sequence,
        ..Default::default()
    };
    let (_server, chain, _) = chain_with(|_| {
        let kept = [(one, "heartbeat", 4), (one, "policy", 5), (three, "heartbeat", 6)];
        let kept = kept.map(|(of, kind, sequence)| (StateKey::notice(&of, kind), encode(&record(sequence))));
        kept.to_vec()
    })
    .await;
    let found = chain.notices(&[three, two, one], "heartbeat").await.expect("notices");
    assert_eq!(found, [Some(record(6)), None, Some(record(4))]);
    assert_eq!(chain.notice(&one, "policy").await.expect("notice"), Some(record(5)));
}
