//! Tests of the board: only events and heights go in.

use super::*;
use yulian_types::proto::Packet;

fn id(number: u8) -> Digest {
    Digest([number; 32])
}

fn key(sequence: u64) -> PacketKey {
    PacketKey {
        source: id(1),
        destination: id(2),
        module: "notice".into(),
        sequence,
    }
}

/// The packet has been read: it goes from chain 1 to chain 2.
fn read(board: &mut Board, sequence: u64, timeout_ms: u64, ordered: bool) {
    let packet = SealedPacket::new(Packet {
        source: id(1).to_vec().into(),
        destination: id(2).to_vec().into(),
        module: "notice".into(),
        method: "post".into(),
        sequence,
        timeout_ms,
        ordered,
        ..Default::default()
    });
    board.set_read(&key(sequence), &Arc::new(packet.unwrap()));
}

fn not_before(board: &Board) -> u64 {
    board.entries[&board.numbers[&key(1)]].1.not_before_ms
}

const NOW: u64 = 1_000_000;

/// Follows chains 0, 1 and 2, all of them at height 1000.
fn board(hub: u8) -> Board {
    let mut board = Board::new(id(hub), (0..3).map(id).collect());
    (0..3).for_each(|chain| board.advanced(&id(chain), 1_000, 1));
    board
}

fn sent(hub: u8) -> Board {
    let mut board = board(hub);
    board.note(Event::Sent, key(1), 5, false);
    board
}

fn stages(board: &Board, at: u8) -> Vec<(u64, Stage)> {
    let steps = board.clone().take(&id(at), NOW, 10);
    steps
        .into_iter()
        .map(|step| (step.packet.sequence, step.stage))
        .collect()
}

#[test]
fn a_packet_goes_from_chain_to_chain() {
    let mut board = sent(0);
    assert_eq!(
        (stages(&board, 0), stages(&board, 2)),
        (vec![(1, Stage::Relay)], vec![])
    );
    board.note(Event::Relayed, key(1), 9, false);
    assert_eq!(
        (stages(&board, 0), stages(&board, 2)),
        (vec![], vec![(1, Stage::Receive)])
    );
    board.note(Event::Received, key(1), 3, false);
    assert_eq!(stages(&board, 1), [(1, Stage::Acknowledge)]);
    board.note(Event::Ended, key(1), 6, false);
    assert_eq!(stages(&board, 1), []);
}

#[test]
fn the_relay_chain_is_no_detour_for_its_own() {
    assert_eq!(stages(&sent(1), 2), [(1, Stage::Receive)]);
}

#[test]
fn what_nobody_sent_is_not_remembered() {
    let mut board = board(0);
    board.note(Event::Relayed, key(1), 9, false);
    board.note(Event::Received, key(1), 9, false);
    assert!(board.entries.is_empty());
    assert_eq!((board.done_up_to(&id(0), 90), board.done_up_to(&id(2), 90)), (90, 90));
}

#[test]
fn what_is_for_a_chain_that_is_not_followed_is_parked_and_holds_the_cursor() {
    let mut board = Board::new(id(0), [id(0), id(1)].into());
    board.advanced(&id(1), 1_000, 1);
    board.note(Event::Sent, key(1), 50, false);
    assert_eq!((stages(&board, 0), stages(&board, 2)), (vec![], vec![]));
    assert_eq!((board.done_up_to(&id(1), 90), board.backlog()["parked"]), (49, 1));
}

#[test]
fn a_step_waits_for_the_block_that_proves_it() {
    let mut board = Board::new(id(0), (0..3).map(id).collect());
    board.note(Event::Sent, key(1), 5, false);
    board.advanced(&id(1), 5, 1);
    assert_eq!(stages(&board, 0), []);
    board.advanced(&id(1), 6, 1);
    assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
    board.note(Event::Relayed, key(1), 7, false);
    board.advanced(&id(0), 7, 1);
    assert_eq!(stages(&board, 2), []);
    board.advanced(&id(0), 8, 1);
    assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
}

#[test]
fn late_is_what_the_destination_says() {
    let mut board = sent(0);
    read(&mut board, 1, NOW - 2_000, false);
    assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
    assert_eq!(board.to_tick(NOW - 1), BTreeSet::new());
    assert_eq!(board.to_tick(NOW), [id(2)].into());
    board.advanced(&id(2), 1_001, NOW - 2_001);
    assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
    board.advanced(&id(2), 1_002, NOW - 2_000);
    assert_eq!(
        (stages(&board, 1), board.to_tick(NOW)),
        (vec![(1, Stage::TimeOut)], BTreeSet::new())
    );
    board.note(Event::Received, key(1), 7, false);
    assert_eq!(stages(&board, 1), [(1, Stage::Acknowledge)]);
}

#[test]
fn a_late_one_of_a_sequence_is_brought_if_it_can_be() {
    let mut board = sent(0);
    read(&mut board, 1, NOW, true);
    board.advanced(&id(2), 1_001, NOW);
    assert_eq!(stages(&board, 1), [(1, Stage::TimeOut)]);
    board.note(Event::Relayed, key(1), 9, false);
    assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
    (0..4).for_each(|_| board.failed(&key(1), Stage::Receive, 0));
    assert_eq!(
        (stages(&board, 1), stages(&board, 2)),
        (vec![(1, Stage::TimeOut)], vec![])
    );
    (0..4).for_each(|_| board.failed(&key(1), Stage::TimeOut, 0));
    assert_eq!(
        (stages(&board, 1), stages(&board, 2)),
        (vec![], vec![(1, Stage::Receive)])
    );
}

#[test]
fn what_goes_to_a_chain_that_was_left_is_given_up() {
    let mut board = Board::new(id(0), [id(0), id(1)].into());
    board.note(Event::Sent, key(1), 5, false);
    board.set_left(&id(1), [id(2)].into());
    assert_eq!(stages(&board, 1), [(1, Stage::GiveUp)]);
    board.set_left(&id(1), BTreeSet::new());
    assert_eq!(stages(&board, 1), []);
}

#[test]
fn what_ends_a_packet_comes_first() {
    let mut board = Board::new(id(1), (0..3).map(id).collect());
    (0..3).for_each(|chain| board.advanced(&id(chain), 1_000, NOW));
    let to_one = |sequence, source| PacketKey {
        source: id(source),
        destination: id(1),
        ..key(sequence)
    };
    let between = PacketKey {
        source: id(0),
        ..key(2)
    };
    let all = [to_one(1, 0), between.clone(), key(3), key(4)];
    all.iter().for_each(|key| board.note(Event::Sent, key.clone(), 5, false));
    board.note(Event::Received, key(4), 6, false);
    read(&mut board, 3, NOW, false);
    let order = [
        (4, Stage::Acknowledge),
        (1, Stage::Receive),
        (2, Stage::Relay),
        (3, Stage::TimeOut),
    ];
    assert_eq!(stages(&board, 1), order);
}

#[test]
fn failures_wait_longer_and_longer() {
    let mut board = sent(0);
    let waits: Vec<u64> = (0..12)
        .map(|_| {
            board.failed(&key(1), Stage::Relay, NOW);
            not_before(&board) - NOW
        })
        .collect();
    assert_eq!(waits[..3], [250, 500, 1_000]);
    assert_eq!(waits[11], 60_000);
    board.note(Event::Relayed, key(1), 6, false);
    assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
}

#[test]
fn one_that_cannot_be_done_yet_makes_way() {
    let mut board = sent(0);
    board.note(Event::Sent, key(2), 5, false);
    board.waited(&key(1), Stage::Relay, NOW);
    assert_eq!(stages(&board, 0), [(2, Stage::Relay)]);
    assert_eq!(board.clone().take(&id(0), NOW + 100, 10).len(), 2);
    (0..12).for_each(|_| board.waited(&key(1), Stage::Relay, NOW));
    assert_eq!(not_before(&board) - NOW, 2_000);
}

#[test]
fn a_result_after_its_event_holds_nothing_up() {
    let mut board = sent(0);
    board.note(Event::Relayed, key(1), 6, false);
    board.submitted(&key(1), Stage::Relay, NOW);
    assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
    board.submitted(&key(1), Stage::Receive, NOW);
    assert_eq!(stages(&board, 2), []);
}

#[test]
fn a_cursor_stays_behind_what_is_not_finished() {
    let mut board = board(0);
    board.note(Event::Sent, key(1), 50, false);
    board.note(Event::Sent, key(2), 60, false);
    board.note(Event::Relayed, key(1), 7, false);
    assert_eq!((board.done_up_to(&id(1), 90), board.done_up_to(&id(0), 90)), (49, 90));
    board.note(Event::Ended, key(1), 91, false);
    assert_eq!(board.done_up_to(&id(1), 91), 59);
}

#[test]
fn what_found_no_room_is_followed_once_more() {
    let mut board = board(0);
    let most = PACKETS_MAX as u64;
    (1..=most + 2).for_each(|sequence| board.note(Event::Sent, key(sequence), 10 + sequence, false));
    assert_eq!(board.entries.len(), PACKETS_MAX);
    (1..=most / 2 - 1).for_each(|sequence| board.forget(&key(sequence)));
    assert_eq!(board.again_from(&id(1)), None);
    (most / 2..=most).for_each(|sequence| board.forget(&key(sequence)));
    assert_eq!(board.done_up_to(&id(1), u64::MAX), most + 10);
    assert_eq!(board.again_from(&id(1)), Some(most + 11));
    assert_eq!(board.again_from(&id(1)), None);
}

#[test]
fn an_event_is_read_as_it_was_written() {
    let mut data = [[1u8; 32], [2; 32]].concat();
    data.extend_from_slice(&7u64.to_be_bytes());
    data.extend_from_slice(b"notice");
    assert_eq!(PacketKey::parse(&data), Some(key(7)));
    assert_eq!(PacketKey::parse(&data[..71]), None);
}
