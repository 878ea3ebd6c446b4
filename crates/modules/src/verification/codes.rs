//! Codes of `verification`.

yulian_exec::codes! {
    BAD_INQUIRY = "verification.bad_inquiry" {
        "核验请求的内容不合规", "请核对目的链、类型、摘要与机构，或状态键",
        "the inquiry is not well formed", "check destination, kind, digest and organisation, or the state key"
    }
}
