// What is counted, by which clock, and the line of JSON that says it.
#include <time.h>

enum { FINE = 128, SLOTS = 64 * FINE };  // times are kept to one part in FINE
static const uint64_t SECOND = 1000000000;

struct times {
    uint64_t number, longest, slots[SLOTS];
};

static struct {
    uint64_t sent, completed, answered, failed, broken, wrong_size, idle, wall;
    uint64_t events;   // all that came
    uint64_t in_time;  // those that came while it counted
    uint64_t stalled;  // writes of stamped events that the kernel did not take at once
    struct times latencies, delays;
} count;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static unsigned slot(uint64_t ns)
{
    int shift = ns < FINE ? 0 : 63 - __builtin_clzll(ns) - 7;  // FINE is 2 to the power of 7
    return (unsigned)(shift * FINE) + (unsigned)(ns >> shift);
}

static void note_time(struct times *times, uint64_t ns)
{
    times->number++;
    times->slots[slot(ns)]++;
    if (ns > times->longest) times->longest = ns;
}

static double percentile_us(const struct times *times, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)times->number), seen = 0;
    unsigned i = 0;
    if (!times->number) return 0;
    while (i < SLOTS - 1 && (seen += times->slots[i]) <= wanted) i++;
    unsigned shift = i < 2 * FINE ? 0 : i / FINE - 1;
    return (double)((uint64_t)(i - shift * FINE) << shift) / 1000;
}

static void report(unsigned open_count, uint64_t cpu)
{
    double wall = (double)count.wall;
    printf("{\"completed\":%" PRIu64 ",\"per_second\":%.1f,\"events\":%" PRIu64
           ",\"events_per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,",
           count.completed, (double)count.completed / set.seconds, count.events,
           (double)count.in_time / set.seconds, percentile_us(&count.latencies, .5),
           percentile_us(&count.latencies, .99), (double)count.latencies.longest / 1000);
    printf("\"delay_p50_us\":%.1f,\"delay_p99_us\":%.1f,\"delay_max_us\":%.1f,\"stalled\":%" PRIu64
           ",\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"non_2xx\":%" PRIu64
           ",\"broken\":%" PRIu64 ",\"wrong_size\":%" PRIu64 ",\"unanswered\":%u,",
           percentile_us(&count.delays, .5), percentile_us(&count.delays, .99),
           (double)count.delays.longest / 1000, count.stalled, count.sent, count.answered,
           count.failed, count.broken, count.wrong_size, open_count);
    printf("\"idle\":%.3f,\"on_core\":%.3f,\"input_tokens\":%d,\"output_tokens\":%ld}\n",
           (double)count.idle / (double)SECOND / set.seconds, (double)cpu / wall, INPUT_TOKENS,
           set.stream ? set.events : OUTPUT_TOKENS);
}
