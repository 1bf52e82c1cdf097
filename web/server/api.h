/* /api/v1: from a request to a call of the broker's verb and back. */
#pragma once

#include "web/server/exchange.h"

/* Answers a complete request below API_PREFIX, now or when the broker has answered. */
void api_handle(Exchange *exchange);
/* Asks the broker for routes and OpenAPI document; again whenever its link is new. */
void api_describe(Server *server);
