//! Both back-ends under one contract; each under the failures that it must survive.

mod contract;
mod folder;
mod kill;
mod log;
mod model;
mod reclaim;
mod torn;
