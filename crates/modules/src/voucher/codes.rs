//! Codes of `voucher`.

yulian_exec::codes! {
    BAD_VOUCHER = "voucher.bad_voucher" {
        "凭证的内容不合规", "请核对名称、条款摘要、有效期、持有人与目的链",
        "the voucher is not well formed", "check name, digest of the terms, expiry, holder and destination"
    }
    BAD_SERIES = "voucher.bad_series" {
        "凭证系列编号无效", "须为 32 字节",
        "the id of the series is not valid", "use 32 bytes"
    }
    SERIES_NOT_FOUND = "voucher.series_not_found" {
        "本链没有这个凭证系列", "请核对系列编号",
        "this chain has no such series", "check its id"
    }
    OTHER_TERMS = "voucher.other_terms" {
        "同一系列的条款或有效期不同", "条款不同请另立系列",
        "the series has other terms or another expiry", "use another series for other terms"
    }
    BAD_AMOUNT = "voucher.bad_amount" {
        "数量为零或过大", "请填写合理的数量",
        "the amount is zero or too large", "use a sensible amount"
    }
    NOT_ENOUGH = "voucher.not_enough" {
        "持有的凭证不足", "请核对余额",
        "the holder has not enough", "check the balance"
    }
    EXPIRED = "voucher.expired" {
        "凭证已过有效期", "过期凭证不能兑付",
        "the voucher has expired", "it cannot be redeemed any more"
    }
    HOLDER_NOT_FOUND = "voucher.holder_not_found" {
        "持有人不是本链账户", "请核对账户编号",
        "the holder is no account of this chain", "check the account id"
    }
    NOT_FROM_HOME = "voucher.not_from_home" {
        "凭证不是从其发行链送来的", "凭证在链间流转须经发行链",
        "the vouchers do not come from their home chain", "they move between chains through their home"
    }
    OVER_OUTSTANDING = "voucher.over_outstanding" {
        "该链索回的数量超过其持有的数量", "请等待在途凭证确认；若持续出现，请核查该链",
        "the chain claims more than is held there", "wait until what is on its way is acknowledged; if it persists, examine that chain"
    }
    NOTHING_UNCLAIMED = "voucher.nothing_unclaimed" {
        "没有可领回的凭证", "请核对系列与账户",
        "there is nothing to be reclaimed", "check series and account"
    }
}
