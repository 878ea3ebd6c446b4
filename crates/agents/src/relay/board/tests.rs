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

/// A packet from chain 1 to chain 2.
fn packet(sequence: u64, timeout_ms: u64, ordered: bool) -> SealedPacket {
    packet_of(&key(sequence), timeout_ms, ordered)
}

fn packet_of(key: &PacketKey, timeout_ms: u64, ordered: bool) -> SealedPacket {
    let packet = SealedPacket::new(Packet {
        source: key.source.to_vec().into(),
        destination: key.destination.to_vec().into(),
        module: key.module.clone(),
        method: "post".into(),
        sequence: key.sequence,
        timeout_ms,
        ordered,
        ..Default::default()
    });
    packet.unwrap()
}

/// The packet has been read.
fn read(board: &mut Board, sequence: u64, timeout_ms: u64, ordered: bool) {
    board.set_read(&key(sequence), &Arc::new(packet(sequence, timeout_ms, ordered)));
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
    all.iter()
        .for_each(|key| board.note(Event::Sent, key.clone(), 5, false));
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
fn where_nothing_new_is_taken_what_ends_packets_goes_by_itself() {
    let mut board = Board::new(id(0), (0..3).map(id).collect());
    (0..3).for_each(|chain| board.advanced(&id(chain), 1_000, NOW));
    let incoming = PacketKey {
        source: id(0),
        destination: id(1),
        ..key(1)
    };
    let all = [incoming.clone(), key(2), key(3)];
    all.iter()
        .for_each(|key| board.note(Event::Sent, key.clone(), 5, false));
    board.note(Event::Received, key(2), 6, false);
    read(&mut board, 3, NOW, false);
    assert_eq!(stages(&board, 1).len(), 3);
    board.set_apart(&id(1), true);
    assert_eq!(stages(&board, 1), [(2, Stage::Acknowledge), (3, Stage::TimeOut)]);
    board.take(&id(1), NOW, 10);
    assert_eq!(stages(&board, 1), [(1, Stage::Receive)]);
    board.released(&key(2), Stage::Acknowledge);
    board.set_apart(&id(1), false);
    assert_eq!(stages(&board, 1), [(2, Stage::Acknowledge), (1, Stage::Receive)]);
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
    assert_eq!((board.to_follow_again(), board.again_from(&id(1))), (vec![], None));
    (most / 2..=most).for_each(|sequence| board.forget(&key(sequence)));
    assert_eq!(board.done_up_to(&id(1), u64::MAX), most + 10);
    assert_eq!(board.to_follow_again(), [id(1)]);
    assert_eq!(board.again_from(&id(1)), Some(most + 11));
    assert_eq!((board.to_follow_again(), board.again_from(&id(1))), (vec![], None));
}

#[test]
fn what_the_state_shows_holds_the_cursor_where_its_blocks_were() {
    let mut board = board(0);
    board.found(packet(1, 2 * NOW, false), 40, 90);
    board.found(packet(2, 2 * NOW, false), 40, 90);
    assert_eq!(board.done_up_to(&id(1), 90), 39);
    board.advanced(&id(1), 90, 1);
    assert_eq!(stages(&board, 0), [(1, Stage::Relay), (2, Stage::Relay)]);
    assert!(
        board
            .clone()
            .take(&id(0), NOW, 10)
            .iter()
            .all(|step| step.look && step.sent == 90)
    );
    // Its block is met after all, the other one is known from before.
    board.note(Event::Sent, key(1), 91, false);
    board.note(Event::Relayed, key(2), 7, false);
    board.found(packet(2, 2 * NOW, false), 10, 95);
    assert_eq!(board.done_up_to(&id(1), 95), 39);
    board.note(Event::Ended, key(2), 96, false);
    assert_eq!(board.done_up_to(&id(1), 96), 90);
}

#[test]
fn what_the_state_shows_and_finds_no_room_is_read_once_more() {
    let mut board = board(0);
    (1..=PACKETS_MAX as u64).for_each(|sequence| board.note(Event::Sent, key(sequence + 1), 500, false));
    board.found(packet(1, 2 * NOW, false), 40, 600);
    assert_eq!(board.done_up_to(&id(1), 600), 39);
    (1..=PACKETS_MAX as u64).for_each(|sequence| board.forget(&key(sequence + 1)));
    assert_eq!(board.again_from(&id(1)), Some(40));
}

#[test]
fn an_event_is_read_as_it_was_written() {
    let mut data = [[1u8; 32], [2; 32]].concat();
    data.extend_from_slice(&7u64.to_be_bytes());
    data.extend_from_slice(b"notice");
    assert_eq!(PacketKey::parse(&data), Some(key(7)));
    assert_eq!(PacketKey::parse(&data[..71]), None);
}

#[test]
fn what_is_given_out_is_not_given_out_again_until_its_result_is_told() {
    let mut board = sent(0);
    assert_eq!(board.take(&id(0), NOW, 10).len(), 1);
    assert_eq!((board.ready(&id(0), NOW), board.take(&id(0), NOW, 10).len()), (0, 0));
    // That a block came meanwhile changes nothing.
    board.advanced(&id(1), 2_000, NOW);
    assert_eq!(board.ready(&id(0), NOW), 0);
    board.released(&key(1), Stage::Relay);
    assert_eq!(board.ready(&id(0), NOW), 1);
    // The event comes before the result: what is next may be given out, and the late result leaves it alone.
    board.take(&id(0), NOW, 10);
    board.note(Event::Relayed, key(1), 6, false);
    assert_eq!(board.take(&id(2), NOW, 10).len(), 1);
    board.failed(&key(1), Stage::Relay, NOW);
    assert_eq!(board.ready(&id(2), NOW), 0);
    board.submitted(&key(1), Stage::Receive, NOW);
    assert_eq!(
        (board.ready(&id(2), NOW), board.next_due(&id(2))),
        (0, Some(NOW + 3_000))
    );
    assert!(board.take(&id(2), NOW + 3_000, 1)[0].look, "its event did not come");
}

#[test]
fn a_step_that_became_another_meanwhile_is_not_stuck() {
    let mut board = sent(0);
    read(&mut board, 1, NOW, false);
    assert_eq!(board.take(&id(0), NOW, 10)[0].stage, Stage::Relay);
    board.advanced(&id(2), 1_001, NOW);
    assert_eq!(stages(&board, 1), []);
    board.failed(&key(1), Stage::Relay, NOW);
    assert_eq!(stages(&board, 1), [(1, Stage::TimeOut)]);
}

#[test]
fn sources_take_turns_and_what_goes_in_order_is_under_way_once() {
    let mut board = Board::new(id(0), (0..5).map(id).collect());
    (0..5).for_each(|chain| board.advanced(&id(chain), 1_000, 1));
    let from = |source, sequence| PacketKey {
        source: id(source),
        ..key(sequence)
    };
    (1..=100).for_each(|sequence| board.note(Event::Sent, from(1, sequence), 5, false));
    (1..=3).for_each(|sequence| board.note(Event::Sent, from(3, sequence), 5, false));
    (1..=3).for_each(|sequence| board.note(Event::Sent, from(4, sequence), 5, false));
    let count = |board: &mut Board, most| {
        let steps = board.take(&id(0), NOW, most);
        [1, 3, 4].map(|source| steps.iter().filter(|step| step.packet.source == id(source)).count())
    };
    assert_eq!(count(&mut board, 32), [26, 3, 3]);
    assert_eq!(count(&mut board, 200), [74, 0, 0]);
    let mut board = self::board(0);
    for sequence in [3, 1, 2] {
        board.note(Event::Sent, key(sequence), 5, false);
        board.note(Event::Relayed, key(sequence), 6, false);
        read(&mut board, sequence, 2 * NOW, true);
    }
    let steps = board.take(&id(2), NOW, 2);
    let numbers: Vec<u64> = steps.iter().map(|step| step.packet.sequence).collect();
    assert_eq!((numbers, board.ready(&id(2), NOW)), (vec![1, 2], 0));
    board.open(&id(2), &steps[0].sequence().unwrap());
    assert_eq!(board.take(&id(2), NOW, 9)[0].packet.sequence, 3);
}

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Every packet that could be taken, found by looking at all of them.
fn by_looking(board: &Board, at: &Digest, now_ms: u64) -> BTreeSet<u64> {
    let can = |(number, (key, entry)): (&u64, &(PacketKey, Entry))| {
        let stage = board.stage(key, entry);
        let there = match stage {
            Stage::Relay => board.hub,
            Stage::Receive => key.destination,
            _ => key.source,
        };
        let followed = board.followed.contains(&key.source) && board.followed.contains(&key.destination);
        let free = entry.taken.is_none() && (followed || stage == Stage::GiveUp);
        let proven = board.unproven(key, entry, stage).is_none() && entry.not_before_ms <= now_ms;
        (there == *at && free && proven).then_some(*number)
    };
    board.entries.iter().filter_map(can).collect()
}

#[test]
fn the_index_finds_what_looking_at_all_would_find() {
    let mut dice = Dice(7);
    let mut board = Board::new(id(0), (0..3).map(id).collect());
    let mut now = NOW;
    let mut heights = [10; 4];
    for _ in 0..20_000 {
        let key = PacketKey {
            source: id(dice.throw(3) as u8),
            destination: id(3),
            module: "notice".into(),
            sequence: 1 + dice.throw(12),
        };
        let destination = id(dice.throw(4) as u8);
        let key = match destination == key.source {
            true => continue,
            false => PacketKey { destination, ..key },
        };
        let stage = [Stage::Relay, Stage::Receive, Stage::Acknowledge, Stage::TimeOut][dice.throw(4) as usize];
        let height = heights[0] + dice.throw(3);
        match dice.throw(13) {
            0..=2 => board.note(Event::Sent, key, height, dice.throw(2) == 0),
            3 => board.note(Event::Relayed, key, height, false),
            4 => board.note(Event::Received, key, height, false),
            5 => board.note(Event::Ended, key, height, false),
            6 => board.failed(&key, stage, now),
            7 => board.submitted(&key, stage, now),
            8 => {
                board.set_left(&key.source, [id(dice.throw(4) as u8)].into());
            }
            9 => {
                let packet = packet_of(&key, now + dice.throw(2_000), dice.throw(2) == 0);
                board.set_read(&key, &Arc::new(packet));
            }
            10 => {
                let at = id(dice.throw(3) as u8);
                for step in board.take(&at, now, dice.throw(4) as usize) {
                    if let Some(sequence) = step.sequence() {
                        board.open(&at, &sequence);
                    }
                    match dice.throw(3) {
                        0 => board.released(&step.packet, step.stage),
                        1 => board.waited(&step.packet, step.stage, now),
                        _ => {}
                    }
                }
            }
            11 => board.found(packet_of(&key, now, false), dice.throw(height), height),
            _ => {
                let chain = dice.throw(4) as usize;
                heights[chain] += 1;
                now += dice.throw(300);
                board.advanced(&id(chain as u8), heights[chain], now - dice.throw(500));
            }
        }
        for chain in 0..3 {
            let at = id(chain);
            let found: BTreeSet<u64> = by_looking(&board, &at, now);
            assert_eq!(board.ready(&at, now), found.len());
            let mut copy = board.index.clone();
            assert_eq!(
                copy.choose(&at, usize::MAX, 2, false)
                    .into_iter()
                    .collect::<BTreeSet<u64>>(),
                found
            );
            let since = board
                .entries
                .values()
                .filter(|(key, _)| key.source == at)
                .map(|(_, entry)| entry.since);
            assert_eq!(board.index.lowest_since(&at), since.min());
        }
        assert_eq!(board.backlog().values().sum::<usize>(), board.entries.len());
    }
}
