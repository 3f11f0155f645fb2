// How the rig is told what to do: its settings and its command line.
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    long mock_port, target, connections, events, burst, interval_us, delay_us, spread_us;
    long query_bytes, answer_bytes;
    double rate, warmup, seconds;
    bool stream, messages, rewritten, poisson, sleep;
    const char *path, *model, *certificate, *key;
    char headers[8192], *body;
} set = {.connections = 64, .events = 200, .burst = 10, .query_bytes = 1000,
         .answer_bytes = 1000, .warmup = 0.5, .seconds = 3, .model = "bench-1"};

static void die(const char *what)
{
    fprintf(stderr, "rig: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static const char help[] =
    "usage: rig --mock-port PORT [--target PORT] [options]\n\n"
    "Asks a gateway that listens on 127.0.0.1, answers it as its provider, and prints one line\n"
    "of JSON. Pin it to a core of its own (taskset -c 1): it never sleeps.\n\n"
    "  --mock-port PORT     where it listens as an OpenAI-style provider\n"
    "  --target PORT        the gateway's port; without it the rig asks itself: its ceiling\n"
    "  --messages           the clients speak Anthropic's dialect; the provider never does\n"
    "  --rewritten          the gateway writes answers anew: their length may be another, but\n"
    "                       every word of the provider's must be there\n"
    "  --path PATH          the path asked for (/v1/chat/completions or /v1/messages)\n"
    "  --header 'N: VALUE'  one more header of the query; may be repeated\n"
    "  --model NAME         the model asked for (bench-1)\n"
    "  --body JSON          the query's body, instead of one of ...\n"
    "  --query-bytes N      ... this length (1000)\n"
    "  --stream             ask for streams instead of whole answers\n"
    "  --connections N      kept-alive connections; each asks again once it is answered (64);\n"
    "                       with 0 it is a provider only, until it is stopped\n"
    "  --spread-us N        time over which the connections ask for the first time (0)\n"
    "  --rate Q             an open loop: Q queries a second, evenly, whatever is answered;\n"
    "                       latency then counts from when a query should have been sent\n"
    "  --poisson            not evenly, but at random moments\n"
    "  --seconds S          how long it counts (3), after ...\n"
    "  --warmup S           ... it has run for this long uncounted (0.5)\n"
    "  --answer-bytes N     length of a whole answer's body (1000)\n"
    "  --delay-us N         pause before an answer begins (0)\n"
    "  --events N           events of 250 bytes in a stream (200)\n"
    "  --burst N            events that leave in one write (10)\n"
    "  --interval-us N      pause between the bursts of a stream (0); with one, events carry the\n"
    "                       time of their sending, and how late they come is told\n"
    "  --certificate FILE   the provider speaks TLS with this certificate (PEM) and ...\n"
    "  --key FILE           ... this key\n"
    "  --sleep              sleep when there is nothing to do, for who shares its core\n";

enum option_number { MOCK_PORT = 1, TARGET, MESSAGES, REWRITTEN, PATH, HEADER, MODEL, BODY,
                     QUERY_BYTES, STREAM, CONNECTIONS, SPREAD, RATE, POISSON, SECONDS, WARMUP,
                     ANSWER_BYTES, DELAY, EVENTS, BURST, INTERVAL, CERTIFICATE, KEY, SLEEP, HELP,
                     NUMBERS };

static const struct option options[] = {
    {"mock-port", 1, 0, MOCK_PORT}, {"target", 1, 0, TARGET}, {"messages", 0, 0, MESSAGES},
    {"rewritten", 0, 0, REWRITTEN}, {"path", 1, 0, PATH}, {"header", 1, 0, HEADER},
    {"model", 1, 0, MODEL}, {"body", 1, 0, BODY}, {"query-bytes", 1, 0, QUERY_BYTES},
    {"stream", 0, 0, STREAM}, {"connections", 1, 0, CONNECTIONS}, {"spread-us", 1, 0, SPREAD},
    {"rate", 1, 0, RATE}, {"poisson", 0, 0, POISSON}, {"seconds", 1, 0, SECONDS},
    {"warmup", 1, 0, WARMUP}, {"answer-bytes", 1, 0, ANSWER_BYTES}, {"delay-us", 1, 0, DELAY},
    {"events", 1, 0, EVENTS}, {"burst", 1, 0, BURST}, {"interval-us", 1, 0, INTERVAL},
    {"certificate", 1, 0, CERTIFICATE}, {"key", 1, 0, KEY}, {"sleep", 0, 0, SLEEP},
    {"help", 0, 0, HELP}, {0}};

static void add_header(const char *line)
{
    size_t length = strlen(set.headers);
    int n = snprintf(set.headers + length, sizeof set.headers - length, "%s\r\n", line);
    if (n >= (int)(sizeof set.headers - length)) die("the headers are too long");
}

static void read_options(int argc, char **argv)
{
    long *numbers[NUMBERS] = {
        [MOCK_PORT] = &set.mock_port, [TARGET] = &set.target, [CONNECTIONS] = &set.connections,
        [SPREAD] = &set.spread_us, [QUERY_BYTES] = &set.query_bytes,
        [ANSWER_BYTES] = &set.answer_bytes, [DELAY] = &set.delay_us, [EVENTS] = &set.events,
        [BURST] = &set.burst, [INTERVAL] = &set.interval_us};
    double *fractions[NUMBERS] = {[RATE] = &set.rate, [SECONDS] = &set.seconds,
                                  [WARMUP] = &set.warmup};
    bool *flags[NUMBERS] = {[MESSAGES] = &set.messages, [REWRITTEN] = &set.rewritten,
                            [STREAM] = &set.stream, [POISSON] = &set.poisson,
                            [SLEEP] = &set.sleep};
    const char **texts[NUMBERS] = {[PATH] = &set.path, [MODEL] = &set.model,
                                   [BODY] = (const char **)&set.body,
                                   [CERTIFICATE] = &set.certificate, [KEY] = &set.key};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == HELP) exit(fputs(help, stdout) < 0);
        else if (o == '?') exit(2);
        else if (o == HEADER) add_header(optarg);
        else if (numbers[o]) *numbers[o] = atol(optarg);
        else if (fractions[o]) *fractions[o] = atof(optarg);
        else if (flags[o]) *flags[o] = true;
        else *texts[o] = optarg;
    }
    if (set.mock_port <= 0 || set.connections < 0 || set.events < 1 || set.burst < 1)
        die("wrong options; see --help");
    if (!set.target) set.target = set.mock_port;
    if (!set.path) set.path = set.messages ? "/v1/messages" : "/v1/chat/completions";
    if (set.messages) add_header("anthropic-version: 2023-06-01");
    set.rewritten |= set.messages;
}
