//! Many headers and packets in one transaction.

use super::{ITEMS_MAX, Link, UPDATES_MAX, client, codes, inbox, outbox, relay};
use bytes::Bytes;
use yulian_exec::{Call, Failure};
use yulian_types::{
    encode,
    packet::{
        CARRY_ACKNOWLEDGE, CARRY_CONFIRM, CARRY_EXPIRE, CARRY_GIVE_UP, CARRY_RECEIVE, CARRY_RELAY, CARRY_SKIP,
        CARRY_TIME_OUT,
    },
    proto::{Carry, CarryAnswer, CarryItem},
};

/// Does each part by itself. If none succeeds the transaction fails with the first reason.
pub(super) fn carry(link: &Link, call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: Carry = call.decode(arguments)?;
    let (updates, items) = (arguments.updates.len(), arguments.items.len());
    if updates > UPDATES_MAX || items > ITEMS_MAX || updates + items == 0 {
        return Err(Failure::new(
            &codes::TOO_MANY,
            format!("{updates} updates and {items} items"),
        ));
    }
    let mut first = None;
    let mut done = 0;
    let mut note = |result: Result<(), Failure>| match result {
        Ok(()) => {
            done += 1;
            String::new()
        }
        Err(failure) => {
            let code = failure.code.code.to_owned();
            first.get_or_insert(failure);
            code
        }
    };
    let mut answer = CarryAnswer::default();
    for update in &arguments.updates {
        answer
            .updates
            .push(note(call.attempt(|call| client::update(call, update))));
    }
    for item in &arguments.items {
        answer.items.push(note(call.attempt(|call| act(link, call, item))));
    }
    match first {
        Some(failure) if done == 0 => Err(failure),
        _ => Ok(encode(&answer)),
    }
}

fn act(link: &Link, call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    match item.kind {
        CARRY_RELAY => relay::relay(call, item),
        CARRY_RECEIVE => inbox::receive(link, call, item),
        CARRY_ACKNOWLEDGE => outbox::acknowledge(link, call, item),
        CARRY_CONFIRM => relay::confirm(call, item),
        CARRY_TIME_OUT => outbox::time_out(link, call, item),
        CARRY_EXPIRE => relay::expire(call, item),
        CARRY_GIVE_UP => outbox::give_up(link, call, item),
        CARRY_SKIP => inbox::skip(call, item),
        other => Err(Failure::new(&codes::BAD_KIND, other.to_string())),
    }
}
