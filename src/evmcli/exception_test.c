#include "base/test.h"
#include "evmcli/exception.h"

TEST(names_hold_reasons)
{
    CHECK(exception_fits_tx("TransactionException.NONCE_IS_MAX", TX_NONCE_MAX));
    CHECK(!exception_fits_tx("TransactionException.NONCE_IS_MAX", TX_NONCE_TOO_LOW));
    CHECK(exception_fits_tx("TR_NoFunds", TX_INSUFFICIENT_FUNDS));
    CHECK(exception_fits("BlockException.INVALID_REQUESTS", BLOCK_REQUESTS_HASH, TX_OK));
    CHECK(!exception_fits("BlockException.INVALID_REQUESTS", BLOCK_STATE_ROOT, TX_OK));
}

TEST(any_of_several_names_will_do)
{
    static const char names[] =
        "TransactionException.NONCE_IS_MAX|TransactionException.SENDER_NOT_EOA";
    CHECK(exception_fits_tx(names, TX_SENDER_NOT_EOA));
    CHECK(exception_fits_tx(names, TX_NONCE_MAX));
    CHECK(!exception_fits_tx(names, TX_INTRINSIC_GAS));
}

TEST(unknown_names_allow_any_reason)
{
    CHECK(exception_fits_tx("TR_SomethingElse", TX_INTRINSIC_GAS));
    CHECK(exception_fits_tx("", TX_INTRINSIC_GAS));
}
