//! The real documents and the real table that the demonstration deposits: part of the program, so that it runs anywhere.

use crate::{
    problem::{Cause, Result},
    text::problem,
};
use yulian_crypto::{Digest, sm3};
use yulian_sdk::Table;

/// A document with what its deposit says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document {
    pub(super) file: &'static str,
    pub(super) description: &'static str,
    pub(super) source: &'static str,
    pub(super) bytes: &'static [u8],
}

impl Document {
    pub(super) fn digest(&self) -> Digest {
        sm3::hash(&[self.bytes])
    }
}

/// The plans of the province and of its capital.
pub(super) const DOCUMENTS: [Document; 2] = [
    Document {
        file: "henan-chain-plan.txt",
        description: "“河南链”建设实施方案（2023—2025年）",
        source: "河南省人民政府办公厅 豫政办〔2023〕11号",
        bytes: include_bytes!("../../../../examples/data/henan-chain-plan.txt"),
    },
    Document {
        file: "zhengzhou-chain-plan.txt",
        description: "“郑州链”建设实施方案（2023—2025年）",
        source: "郑州市人民政府",
        bytes: include_bytes!("../../../../examples/data/zhengzhou-chain-plan.txt"),
    },
];

/// Name of the table.
pub(super) const TABLE_FILE: &str = "henan-divisions.csv";
/// Where it comes from.
pub(super) const TABLE_SOURCE: &str = "统计用区划代码 china-division 2.7.0";
/// Column that tells its rows apart.
pub(super) const TABLE_ID: &str = "code";
/// The row that is shown: the city of Zhengzhou.
pub(super) const ROW_ID: &str = "4101";

/// All rows.
pub(super) fn table() -> Result<Table> {
    let bytes = include_bytes!("../../../../examples/data/henan-divisions.csv").to_vec();
    Table::parse(bytes, TABLE_ID).or_problem(|| problem::cannot_read(TABLE_FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_what_the_examples_say() {
        // From examples/data/README.md, by `openssl dgst -sm3`.
        let expected = [
            "3ab62bf52fa5434edd31fc18257e439b2f950ca84e9fae65962c22410fcda948",
            "c11083a325e6ff2399590ac83e018b45954348a95e4fcd3a7d120c2691d66af4",
        ];
        assert_eq!(DOCUMENTS.map(|document| document.digest().to_string()), expected);
        let table = table().unwrap();
        assert_eq!(table.rows().len(), 55_164);
        let row = &table.rows()[table.find(ROW_ID).unwrap()];
        assert_eq!(table.line(row), "4101,郑州市,city,41".as_bytes());
    }
}
