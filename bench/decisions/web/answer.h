/* What every candidate answers, so that only the server differs. */
#pragma once

#define ANSWER "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1234\"}"
