/*
 * pricer.c - prices one option trade.
 *
 * Reads one trade on standard input:
 *     id,type,spot,strike,rate,volatility,maturity,quantity
 * and writes one result on standard output:
 *     id,type,price,delta,gamma,vega,theta,rho,value,stress
 *
 * type is european-call or -put (Black and Scholes), american-call or -put (binomial tree of Cox, Ross and
 * Rubinstein) or asian-call or -put (Monte Carlo, arithmetic average). price and greeks are per unit, value is
 * quantity times price, stress is the worst change of value over the scenarios of the nightly stress test.
 *
 * The same trade gives the same result always: random numbers are seeded with the trade's id.
 *
 * Exit status: 0 priced, 1 the result could not be written, 2 the trade is malformed (message on stderr).
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_LIMIT 32
#define LINE_LIMIT 512

#define TREE_STEPS 400
#define PATHS 700
#define FIXINGS 24
#define STRESS_SPOTS 101
#define STRESS_VOLATILITIES 61

enum style { EUROPEAN, AMERICAN, ASIAN };

struct trade {
    char id[ID_LIMIT + 1];
    const char *type;
    enum style style;
    double sign; /* +1 call, -1 put */
    double spot, strike, rate, volatility, maturity, quantity;
};

struct result {
    double price, delta, gamma, vega, theta, rho;
    double stress; /* the worst change of the price, in the direction that hurts this quantity */
};

static const struct {
    const char *name;
    enum style style;
    double sign;
} TYPES[] = {
    {"european-call", EUROPEAN, 1}, {"european-put", EUROPEAN, -1}, {"american-call", AMERICAN, 1},
    {"american-put", AMERICAN, -1}, {"asian-call", ASIAN, 1},       {"asian-put", ASIAN, -1},
};

static double greater(double a, double b) { return a > b ? a : b; }

/* Remembers the scenario that costs the holder of this quantity most. */
static void note_scenario(const struct trade *t, struct result *r, double price)
{
    double change = price - r->price;

    if (t->quantity * change < t->quantity * r->stress) r->stress = change;
}

/* ---- European: Black and Scholes in closed form ---- */

static double normal_density(double x) { return exp(-0.5 * x * x) * 0.39894228040143267794; }
static double normal_below(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }

static double black_scholes(const struct trade *t, double spot, double volatility)
{
    double deviation = volatility * sqrt(t->maturity);
    double d1 = (log(spot / t->strike) + t->rate * t->maturity) / deviation + 0.5 * deviation;
    double d2 = d1 - deviation;

    return t->sign * (spot * normal_below(t->sign * d1) -
                      t->strike * exp(-t->rate * t->maturity) * normal_below(t->sign * d2));
}

static void price_european(const struct trade *t, struct result *r)
{
    double root = sqrt(t->maturity);
    double deviation = t->volatility * root;
    double d1 = (log(t->spot / t->strike) + t->rate * t->maturity) / deviation + 0.5 * deviation;
    double d2 = d1 - deviation;
    double discounted = t->strike * exp(-t->rate * t->maturity);
    int i, j;

    r->price = black_scholes(t, t->spot, t->volatility);
    r->delta = t->sign * normal_below(t->sign * d1);
    r->gamma = normal_density(d1) / (t->spot * deviation);
    r->vega = t->spot * normal_density(d1) * root;
    r->theta = -t->spot * normal_density(d1) * t->volatility / (2 * root) -
               t->sign * t->rate * discounted * normal_below(t->sign * d2);
    r->rho = t->sign * t->maturity * discounted * normal_below(t->sign * d2);
    /* A closed form is cheap, so the whole surface is revalued: spot by +-50 %, volatility by half to double. */
    for (i = 0; i < STRESS_SPOTS; i++) {
        double spot = t->spot * (0.5 + (double)i / (STRESS_SPOTS - 1));

        for (j = 0; j < STRESS_VOLATILITIES; j++) {
            double factor = 0.5 + 1.5 * (double)j / (STRESS_VOLATILITIES - 1);

            note_scenario(t, r, black_scholes(t, spot, t->volatility * factor));
        }
    }
}

/* ---- American: binomial tree ---- */

/*
 * The value at the root; `early`, where wanted, gets the three values two steps in, from which delta, gamma
 * and theta are read without another tree.
 */
static double tree(const struct trade *t, double spot, double volatility, double rate, double early[3])
{
    static double value[TREE_STEPS + 1], asset[2 * TREE_STEPS + 1];
    double dt = t->maturity / TREE_STEPS;
    double up = exp(volatility * sqrt(dt));
    double discount = exp(-rate * dt);
    double probability = (1 / discount - 1 / up) / (up - 1 / up);
    double p, q;
    int i, step;

    /* A very low volatility with a high rate leaves the tree: clamped, the tree follows the forward. */
    probability = probability < 0 ? 0 : probability > 1 ? 1 : probability;
    p = discount * probability;
    q = discount * (1 - probability);
    asset[0] = spot * pow(up, -TREE_STEPS);
    for (i = 1; i <= 2 * TREE_STEPS; i++) asset[i] = asset[i - 1] * up;
    for (i = 0; i <= TREE_STEPS; i++) value[i] = greater(0, t->sign * (asset[2 * i] - t->strike));
    for (step = TREE_STEPS - 1; step >= 0; step--) {
        const double *at = asset + (TREE_STEPS - step);

        for (i = 0; i <= step; i++) {
            double held = p * value[i + 1] + q * value[i];

            value[i] = greater(held, t->sign * (at[2 * i] - t->strike));
        }
        if (step == 2 && early != NULL) memcpy(early, value, 3 * sizeof *early);
    }
    return value[0];
}

static void price_american(const struct trade *t, struct result *r)
{
    static const double shocks[] = {0.7, 0.85, 1.15, 1.3};
    double dt = t->maturity / TREE_STEPS;
    double square = exp(2 * t->volatility * sqrt(dt));
    double low = t->spot / square, high = t->spot * square;
    double bump = 0.01 * t->volatility, early[3];
    size_t i;

    r->price = tree(t, t->spot, t->volatility, t->rate, early);
    r->delta = (early[2] - early[0]) / (high - low);
    r->gamma = ((early[2] - early[1]) / (high - t->spot) - (early[1] - early[0]) / (t->spot - low)) /
               (0.5 * (high - low));
    r->theta = (early[1] - r->price) / (2 * dt);
    r->vega = (tree(t, t->spot, t->volatility + bump, t->rate, NULL) -
               tree(t, t->spot, t->volatility - bump, t->rate, NULL)) / (2 * bump);
    r->rho = (tree(t, t->spot, t->volatility, t->rate + 0.0005, NULL) -
              tree(t, t->spot, t->volatility, t->rate - 0.0005, NULL)) / 0.001;
    for (i = 0; i < sizeof shocks / sizeof *shocks; i++)
        note_scenario(t, r, tree(t, t->spot * shocks[i], t->volatility, t->rate, NULL));
}

/* ---- Asian: Monte Carlo with pathwise greeks ---- */

/* FNV-1a of the id: the seed. */
static uint64_t seed_of(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *id != '\0'; id++) hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return hash;
}

/* splitmix64 to a number strictly between 0 and 1. */
static double uniform(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return ((double)(z >> 11) + 0.5) / 9007199254740992.0;
}

/* Two independent normal numbers, Box and Muller. */
static void normals(uint64_t *state, double *a, double *b)
{
    double radius = sqrt(-2 * log(uniform(state)));
    double angle = 6.28318530717958647692 * uniform(state);

    *a = radius * cos(angle);
    *b = radius * sin(angle);
}

/* The average of one path and its derivatives. */
struct path {
    double average, by_volatility, by_rate, by_maturity;
};

static struct path walk(const struct trade *t, uint64_t *state)
{
    double dt = t->maturity / FIXINGS, root = sqrt(dt);
    double drift = t->rate - 0.5 * t->volatility * t->volatility;
    double w = 0, pair[2];
    struct path path = {0, 0, 0, 0};
    int i;

    for (i = 1; i <= FIXINGS; i++) {
        double time = i * dt, spot;

        if (i % 2 == 1) normals(state, &pair[0], &pair[1]);
        w += root * pair[(i - 1) % 2];
        spot = t->spot * exp(drift * time + t->volatility * w) / FIXINGS;
        path.average += spot;
        path.by_volatility += spot * (w - t->volatility * time);
        path.by_rate += spot * time;
        path.by_maturity += spot * (drift * time + 0.5 * t->volatility * w) / t->maturity;
    }
    return path;
}

static double payoff(const struct trade *t, double average) { return greater(0, t->sign * (average - t->strike)); }

static void price_asian(const struct trade *t, struct result *r)
{
    static const double shocks[] = {0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.4, 1.5};
    enum { SHOCKS = sizeof shocks / sizeof *shocks };
    double discount = exp(-t->rate * t->maturity) / PATHS;
    double shocked[SHOCKS] = {0}, delta_up = 0, delta_down = 0, bump = 0.02;
    uint64_t state = seed_of(t->id);
    int i, j;

    for (i = 0; i < PATHS; i++) {
        struct path path = walk(t, &state);
        double unit = path.average / t->spot; /* the average moves in proportion to the spot */

        for (j = 0; j < SHOCKS; j++) shocked[j] += discount * payoff(t, path.average * shocks[j]);
        if (payoff(t, path.average * (1 + bump)) > 0) delta_up += discount * t->sign * unit;
        if (payoff(t, path.average * (1 - bump)) > 0) delta_down += discount * t->sign * unit;
        if (payoff(t, path.average) <= 0) continue;
        r->price += discount * payoff(t, path.average);
        r->delta += discount * t->sign * unit;
        r->vega += discount * t->sign * path.by_volatility;
        r->rho += discount * t->sign * path.by_rate;
        r->theta -= discount * t->sign * path.by_maturity;
    }
    r->gamma = (delta_up - delta_down) / (2 * bump * t->spot);
    r->rho -= t->maturity * r->price;
    r->theta += t->rate * r->price;
    for (j = 0; j < SHOCKS; j++) note_scenario(t, r, shocked[j]);
}

/* ---- Reading and writing ---- */

static int malformed(const char *what, const char *text)
{
    fprintf(stderr, "pricer: malformed trade: %s: \"%s\"\n", what, text);
    return 2;
}

/* Cuts the next field off *rest; NULL when there is none. */
static char *next_field(char **rest)
{
    char *field = *rest, *comma;

    if (field == NULL) return NULL;
    comma = strchr(field, ',');
    if (comma != NULL) *comma = '\0';
    *rest = comma == NULL ? NULL : comma + 1;
    return field;
}

/* The same grammar in every locale: digits, sign, point, exponent; neither "inf" nor "0x10" nor blanks. */
static int parse_number(const char *text, double low, double high, double *to)
{
    char *end;

    if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) return 0;
    errno = 0;
    *to = strtod(text, &end);
    return *end == '\0' && errno == 0 && *to >= low && *to <= high;
}

static int parse_name(struct trade *t, const char *id, const char *type)
{
    size_t i;

    if (id == NULL || *id == '\0' || strlen(id) > ID_LIMIT) return malformed("the id has 1 to 32 characters", id ? id : "");
    for (i = 0; id[i] != '\0'; i++)
        if (!isalnum((unsigned char)id[i]) && id[i] != '-' && id[i] != '_')
            return malformed("the id consists of letters, digits, - and _", id);
    strcpy(t->id, id);
    for (i = 0; type != NULL && i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(type, TYPES[i].name) != 0) continue;
        t->type = TYPES[i].name;
        t->style = TYPES[i].style;
        t->sign = TYPES[i].sign;
        return 0;
    }
    return malformed("the type is european-, american- or asian-, call or put", type ? type : "");
}

static int parse_trade(char *line, struct trade *t)
{
    const struct {
        const char *rule;
        double low, high;
        double *to;
    } numbers[] = {
        {"the spot is a number from 0.0001 to 1e9", 1e-4, 1e9, &t->spot},
        {"the strike is a number from 0.0001 to 1e9", 1e-4, 1e9, &t->strike},
        {"the rate is a number from -0.5 to 1", -0.5, 1, &t->rate},
        {"the volatility is a number from 0.001 to 5", 1e-3, 5, &t->volatility},
        {"the maturity is a number of years from 0.0001 to 50", 1e-4, 50, &t->maturity},
        {"the quantity is a number from -1e12 to 1e12", -1e12, 1e12, &t->quantity},
    };
    char *rest = line, *id = next_field(&rest), *type = next_field(&rest);
    int problem = parse_name(t, id, type);
    size_t i;

    if (problem != 0) return problem;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char *field = next_field(&rest);

        if (field == NULL || !parse_number(field, numbers[i].low, numbers[i].high, numbers[i].to))
            return malformed(numbers[i].rule, field ? field : "");
    }
    return rest == NULL ? 0 : malformed("eight fields are expected", rest);
}

int main(void)
{
    char line[LINE_LIMIT + 1];
    struct trade trade;
    struct result result = {0, 0, 0, 0, 0, 0, 0};
    size_t length = fread(line, 1, LINE_LIMIT, stdin);
    int problem;

    if (ferror(stdin)) {
        perror("pricer: reading the trade");
        return 2;
    }
    if (length > 0 && line[length - 1] == '\n') length--;
    line[length] = '\0';
    if (length == 0) return malformed("nothing on standard input", "");
    if (strlen(line) != length || strchr(line, '\n') != NULL || length >= LINE_LIMIT)
        return malformed("one line of less than 512 bytes is expected", line);
    problem = parse_trade(line, &trade);
    if (problem != 0) return problem;

    switch (trade.style) {
    case EUROPEAN: price_european(&trade, &result); break;
    case AMERICAN: price_american(&trade, &result); break;
    case ASIAN: price_asian(&trade, &result); break;
    }
    printf("%s,%s,%.6f,%.6f,%.8f,%.6f,%.6f,%.6f,%.2f,%.2f\n", trade.id, trade.type, result.price, result.delta,
           result.gamma, result.vega, result.theta, result.rho, trade.quantity * result.price,
           trade.quantity * result.stress);
    if (fflush(stdout) != 0) {
        perror("pricer: writing the result");
        return 1;
    }
    return 0;
}
