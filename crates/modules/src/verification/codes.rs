//! Codes of `verification`.

yulian_exec::codes! {
    NOT_ANSWERED = "verification.not_answered" {
        "该类状态不对外答复", "可查询存证、参数、机构、轻客户端与凭证系列",
        "other chains are not told of this kind of state", "ask for evidence, parameters, organisations, light clients or series of vouchers"
    }
    BAD_INQUIRY = "verification.bad_inquiry" {
        "核验请求的内容不合规", "请核对目的链、类型、摘要与机构，或状态键",
        "the inquiry is not well formed", "check destination, kind, digest and organisation, or the state key"
    }
}
