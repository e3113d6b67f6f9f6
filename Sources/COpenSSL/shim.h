// OpenSSL, and as functions those of its macros and callbacks that Swift cannot see.
#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

// A key that is protected by a passphrase is an error: nobody sits before a server to type it.
static int ntk_tls_no_passphrase(char *buffer, int size, int writing, void *unused) {
    (void)buffer, (void)size, (void)writing, (void)unused;
    return -1;
}

// RFC 7301: HTTP/1.1 if it is offered; a client that offers other protocols only is told so.
static int ntk_tls_select_protocol(
    SSL *session, const unsigned char **chosen, unsigned char *length, const unsigned char *offered, unsigned int count, void *unused) {
    (void)session, (void)unused;
    static const unsigned char ours[] = "\x08http/1.1";
    if (SSL_select_next_proto((unsigned char **)chosen, length, ours, sizeof ours - 1, offered, count) == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A context for servers by Mozilla's "intermediate" recommendation (guidelines 5.7), without the slow finite-field DHE. NULL on failure.
static inline SSL_CTX *ntk_tls_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return NULL;
    int done = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        && SSL_CTX_set_cipher_list(
            context,
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")
        && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
        && SSL_CTX_set1_groups_list(context, "X25519:prime256v1:secp384r1")
        && SSL_CTX_set_session_id_context(context, (const unsigned char *)"ntk", 3);
    if (!done) {
        SSL_CTX_free(context);
        return NULL;
    }
    // The last: a client that closes without close_notify has ended; HTTP's own framing tells a cut message from a whole one.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    // Sessions are taken up by tickets alone: the server keeps nothing of clients that have gone. Their keys are new with each context.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_timeout(context, 2 * 60 * 60);
    SSL_CTX_set_alpn_select_cb(context, ntk_tls_select_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(context, ntk_tls_no_passphrase);
    return context;
}

// The reason of the oldest error in this thread's queue, which is emptied; NULL if there is none.
static inline const char *ntk_tls_take_error(void) {
    unsigned long error = ERR_get_error();
    ERR_clear_error();
    if (!error) return NULL;
    return ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
}

// One request as a client over a blocking socket, to a server that is known to be this machine's own: its certificate is not looked at.
// The bytes of the answer's beginning; below 1 if there is none.
static inline int ntk_tls_ask(int socket, const unsigned char *request, int length, unsigned char *answer, int capacity) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *session = context ? SSL_new(context) : NULL;
    int count = 0;
    if (session && SSL_set_fd(session, socket) == 1 && SSL_connect(session) == 1 && SSL_write(session, request, length) == length)
        count = SSL_read(session, answer, capacity);
    SSL_free(session);
    SSL_CTX_free(context);
    ERR_clear_error();
    return count;
}
