//! All nodes killed at once, again and again, under load: what a client was told is final stays, once, everywhere.

use crate::{
    running::{Up, agreed_root, free_base, kill, until},
    world::{run, text},
};
use std::{
    collections::HashMap,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, task::JoinSet, time::sleep};
use yulian_crypto::{Digest, key_file, sm3};
use yulian_sdk::{
    Account, Chain, Client, Options, Patience,
    views::{FinalResult, StreamDetail},
};

/// How often all nodes are killed, unless the environment says something else.
const KILLS: usize = 3;
/// Says how often: `YULIAN_KILLS=20 cargo test --release -p yulian-cli --test it killed -- --nocapture`.
const KILLS_VARIABLE: &str = "YULIAN_KILLS";
/// Clients that wait for each of their results.
const CLIENTS: usize = 12;

#[test]
fn nodes_killed_at_random_moments_lose_and_double_nothing() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("network");
    let up = Up::start(home.path(), &dir, free_base());
    let kills = env::var(KILLS_VARIABLE).map_or(KILLS, |text| text.parse().expect("a number"));
    let told = Arc::new(Told::default());
    let runtime = Runtime::new().unwrap();
    let chain = runtime.block_on(connect(&up));
    let clients = runtime.block_on(async { start_clients(&up, &chain, &told) });

    let mut random = Random(20_261_122);
    for _ in 0..kills {
        let before = told.count();
        until("results come", || told.count() > before);
        let moment = Duration::from_millis(random.below(2_500));
        runtime.block_on(async { sleep(moment).await });
        let pids = up.pids();
        pids.iter().for_each(|pid| kill("-9", *pid));
        until("up starts all of them again", || {
            let now = up.pids();
            now.iter().zip(&pids).all(|(now, before)| *now != 0 && now != before)
        });
    }
    let before = told.count();
    until("results come after the last time", || told.count() > before);
    told.over.store(true, Ordering::Relaxed);
    runtime.block_on(clients.join_all());
    agreed_root(&up);
    runtime.block_on(check(&chain, &told));
    up.stop("-TERM");
    let node = dir.join("node2");
    assert_eq!(run(home.path(), &["replay", "--dir", text(&node)]).code, 0);
}

/// What clients were told.
#[derive(Default)]
struct Told {
    results: Mutex<HashMap<Digest, FinalResult>>,
    over: AtomicBool,
}

impl Told {
    fn count(&self) -> usize {
        self.results.lock().unwrap().len()
    }
}

/// The same moments in each run (xorshift64, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

async fn connect(up: &Up) -> Chain {
    let running = up.running();
    let nodes = running["nodes"].as_array().unwrap();
    let urls = nodes.iter().map(|node| node["api"].as_str().unwrap().to_owned());
    let client = Client::new(urls, Options::default()).unwrap();
    client.chain("default").await.unwrap()
}

fn start_clients(up: &Up, chain: &Chain, told: &Arc<Told>) -> JoinSet<()> {
    let key = key_file::read(&up.dir.join("organisations/zhengzhou-data/writer.pem"), None).unwrap();
    let account = Account::of_first_key(key);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (chain, account, told) = (chain.beginning_with(client % 4), account.clone(), told.clone());
        clients.spawn(async move {
            let mut number = 0_u64;
            while !told.over.load(Ordering::Relaxed) {
                number += 1;
                let digest = sm3::hash(&[&(client as u64).to_be_bytes(), &number.to_be_bytes()]);
                let transaction = account.deposit(chain.terms(), &digest, "", "").unwrap();
                // What is refused or unknown promises nothing: it may be there or not.
                let patience = Patience::For(Duration::from_secs(30));
                if let Ok(result) = chain.submit_and_wait_for(&transaction, patience).await {
                    assert!(result.result.success, "{result:?}");
                    told.results.lock().unwrap().insert(result.id.0, result);
                }
            }
        });
    }
    clients
}

/// On every node, every result that was received stands where it was said to, and no transaction stands twice.
async fn check(chain: &Chain, told: &Told) {
    let results = told.results.lock().unwrap().clone();
    for node in 0..4 {
        let chain = chain.only(node);
        let height = chain.info().await.unwrap().height;
        let mut blocks = chain.follow(1, StreamDetail::Transactions);
        let mut found = HashMap::new();
        while blocks.height() <= height {
            let block = blocks.next().await.expect("more blocks").unwrap();
            for (index, transaction) in block.transactions.expect("asked for").into_iter().enumerate() {
                let place = (block.header.height, index as u32, transaction.result);
                assert_eq!(found.insert(transaction.id.0, place), None, "twice on node {node}");
            }
        }
        for (id, result) in &results {
            let place = found.get(id).unwrap_or_else(|| panic!("{id} is lost on node {node}"));
            assert_eq!((place.0, place.1), (result.block.height, result.index));
            assert_eq!(place.2.as_ref(), Some(&result.result));
        }
    }
}
