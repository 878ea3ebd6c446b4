//! Codes of `notice`.

yulian_exec::codes! {
    BAD_NOTICE = "notice.bad_notice" {
        "通告的内容不合规", "请核对目的链、类型、文字与摘要",
        "the notice is not well formed", "check destination, kind, text and digest"
    }
}
