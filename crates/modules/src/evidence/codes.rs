//! Codes of `evidence`.

yulian_exec::codes! {
    BAD_DIGEST = "evidence.bad_digest" {
        "摘要不是 32 字节，或全为零", "请提供文件的 SM3 摘要或批次的默克尔根",
        "the digest is not 32 bytes, or all zero", "give the SM3 digest of the file, or the Merkle root of the batch"
    }
    BAD_DESCRIPTION = "evidence.bad_description" {
        "说明过长或含控制字符", "说明至多 1024 字节",
        "the description is too long or holds control characters", "use at most 1,024 bytes"
    }
    BAD_SOURCE = "evidence.bad_source" {
        "来源过长或含控制字符", "来源至多 256 字节",
        "the source is too long or holds control characters", "use at most 256 bytes"
    }
    BAD_REASON = "evidence.bad_reason" {
        "原因为空、过长或含控制字符", "原因须为 1 至 512 字节",
        "the reason is empty, too long or holds control characters", "use 1 to 512 bytes"
    }
    BAD_COUNT = "evidence.bad_count" {
        "批次行数超出范围", "批次须有 1 至 10 亿行",
        "the number of rows of the batch is out of range", "a batch has 1 to 1,000,000,000 rows"
    }
    ALREADY_DEPOSITED = "evidence.already_deposited" {
        "本机构已经存证过该摘要", "请直接查询已有记录",
        "the organisation has deposited this digest before", "look the record up"
    }
    NOT_FOUND = "evidence.not_found" {
        "本机构没有该摘要的存证", "只能更正或撤销本机构的存证，请核对摘要",
        "the organisation has no record of this digest", "only own records can be changed: check the digest"
    }
    NOT_ACTIVE = "evidence.not_active" {
        "该存证已被更正或撤销", "更正与撤销不可再变",
        "the record has been superseded or revoked", "that is final"
    }
    SAME_RECORD = "evidence.same_record" {
        "存证不能由自身更正", "请给出替代它的另一份存证",
        "a record cannot supersede itself", "name the record that takes its place"
    }
    REPLACEMENT_NOT_FOUND = "evidence.replacement_not_found" {
        "本机构没有用于替代的存证", "请先为新文件存证",
        "the organisation has no record of the replacement", "deposit the new digest first"
    }
    REPLACEMENT_NOT_ACTIVE = "evidence.replacement_not_active" {
        "用于替代的存证已被更正或撤销", "请选用有效的存证",
        "the replacement has been superseded or revoked", "name a record that is active"
    }
}
