//! What one instance may have of memory and of table elements: all its memories together, and all its tables.
//!
//! A component of one language has many small tables, another one has a large one, so that no limit for each would do.

use wasmtime::{ResourceLimiter, Result};

use crate::spec::Limits;

/// Core memories, tables and instances of one component. Those of Python are linked of some 40 modules.
pub(crate) const MEMORIES: u32 = 2;
pub(crate) const TABLES: u32 = 64;
pub(crate) const CORE_INSTANCES: u32 = 64;

/// What an instance has taken, and how much it may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limiter {
    /// In bytes (option `plugin_memory`).
    memory: Budget,
    /// In elements (option `plugin_table`).
    tables: Budget,
}

#[derive(Debug, Clone, Copy)]
struct Budget {
    limit: usize,
    taken: usize,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Limiter {
        let budget = |limit| Budget { limit, taken: 0 };
        Limiter {
            memory: budget(limits.memory),
            tables: budget(limits.table),
        }
    }
}

impl Limiter {
    /// Whether half of the memory is taken: what one request has left there should not be the fault of the next.
    pub(crate) fn is_half_taken(&self) -> bool {
        self.memory.taken > self.memory.limit / 2
    }
}

impl Budget {
    /// Whether one of several may grow to this size. It counts from then on, also where the system has no more.
    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        let others = self.taken.saturating_sub(current);
        let taken = others.saturating_add(desired);
        let is_allowed = taken <= self.limit && maximum.is_none_or(|maximum| desired <= maximum);
        if is_allowed {
            self.taken = taken;
        }
        is_allowed
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(self.memory.grow(current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(self.tables.grow(current, desired, maximum))
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_share_one_limit() {
        let mut budget = Budget {
            limit: 10,
            taken: 0,
        };
        assert!(budget.grow(0, 4, None));
        assert!(budget.grow(0, 5, Some(5)));
        assert!(!budget.grow(4, 6, None), "6 and 5 are more than 10");
        assert!(budget.grow(4, 5, None));
        assert!(!budget.grow(5, 6, None));
        assert!(!budget.grow(5, usize::MAX, None));
    }
}
