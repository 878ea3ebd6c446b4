//! Metering: what an execution costs, in units that are the same on every machine.

use crate::{Failure, codes};

/// Counts the units of one transaction against its limit.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: u64,
    used: u64,
}

impl Meter {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    /// Charges units; past the limit the transaction fails and is charged exactly the limit.
    pub(crate) fn charge(&mut self, units: u64) -> Result<(), Failure> {
        let used = self.used.saturating_add(units);
        self.used = used.min(self.limit);
        if used <= self.limit {
            return Ok(());
        }
        Err(Failure::new(
            &codes::METERING_EXCEEDED,
            format!("the limit is {} units", self.limit),
        ))
    }

    pub(crate) fn charge_bytes(&mut self, bytes: usize, price: u64) -> Result<(), Failure> {
        self.charge((bytes as u64).saturating_mul(price))
    }

    pub(crate) fn used(&self) -> u64 {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed_and_never_exceeded() {
        let mut meter = Meter::new(10);
        assert!(meter.charge(10).is_ok());
        assert_eq!(meter.charge(1).unwrap_err().code, &codes::METERING_EXCEEDED);
        assert_eq!(meter.used(), 10);
        assert!(meter.charge(u64::MAX).is_err());
        assert!(meter.charge_bytes(usize::MAX, u64::MAX).is_err());
        assert_eq!(meter.used(), 10);
    }
}
