/*
 * The model of docs/model.md once more, in plain C: one run of one scenario without dated moves and growth.
 *
 * Equation numbers (E1-E34) are those of docs/model.md. Customers are a struct of arrays, and each phase of a tick
 * is a loop over them. Firms are counted from 0; an option is a firm's number plus 1, and option 0 is staying away.
 * Customers' rules compute in float, firms in double, and sums over customers in whole numbers, so that the results
 * are the model's to the last bit where the compiler does not contract products and sums (-ffp-contract=off).
 *
 * FIRMS is fixed when this file is compiled, so that loops over two or three firms are unrolled.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef FIRMS
#define FIRMS 2
#endif
#define OPTIONS (FIRMS + 1)
#define SCALE 1048576.0 /* 2^20, units of the sums over customers */

enum { CELLS = 4096 };       /* steps of probability in a table of quantiles */
enum { MOST_CONTACTS = 64 }; /* acquaintances of a customer */
enum { MOST_TOLD = 64 };     /* longest audience that is told apart (E19) */
enum { LONGEST_TENURE = 32767 };
enum { REPEAT_TENURE = 3 };      /* ticks from which a customer counts as a repeat buyer (Dick & Basu 1994) */
enum { FIRST_BIRTH = -1000000 }; /* tick under which the traits of the first customers are drawn */

/* Streams of random numbers. */
enum { FOR_OPPORTUNITY = 1, FOR_ATTENTION, FOR_OPTION, FOR_EXPERIENCE, FOR_CONTACT, FOR_INVOLUNTARY, FOR_TELLING,
       FOR_AUDIENCE, FOR_HEARING, FOR_NETWORK, FOR_TRAITS = 20, FOR_TASTE = 25, FOR_BELIEF, FOR_PROVIDER };

/* What a customer bought this tick, besides an option. */
enum { NOTHING = -1, GONE_FOR_GOOD = -2 };

enum { NATURAL, LAPSE, CREDIT, CLOSURE, EXITS };
enum { TRUE_LOYAL, SPURIOUS_LOYAL, LATENT_LOYAL, NOT_LOYAL, LOYALTIES };

/* Causes of departure, in the order of churnsim.causes; the involuntary exits follow. */
enum { BY_PRICE, BY_REFERENCE, BY_CORE, BY_CROWDING, BY_WORD, BY_NEGLECT, BY_RIVAL_PRICE, BY_RIVAL_PROMOTION,
       BY_RIVAL_REFERENCE, BY_RIVAL_CUE, BY_RIVAL_WORD, BY_RIVAL_ATTACHMENT, BY_OUTSIDE_OFFER, BY_VARIETY,
       VALUE_CAUSES, CAUSES = VALUE_CAUSES + EXITS };
enum { SUNK, SWITCHING, TRANSACTION, TERMINATION, BARRIERS };

/* Measures, in the order of churnsim.metrics. */
enum { M_SHARE, M_CUSTOMERS, M_CUSTOMER_SHARE, M_STAYS, M_JOINED, M_LOST, M_CHURN, M_RETENTION, M_RETURNED,
       M_COHORT_RETURNED, M_LOST_POOL, M_SATISFACTION, M_EXPECTATION, M_ATTACHMENT, M_BELIEF, M_REFERENCE, M_QUALITY,
       M_CROWDING, M_PRICE, M_SERVICE, M_TRAINING, M_CONTACTS, M_RELATIONSHIP_COST, M_SERVICE_COST, M_REVENUE,
       M_PROFIT, M_CUMULATIVE_PROFIT, M_CASH, M_SHORTFALL, M_LOYALTY, M_OPEN = M_LOYALTY + LOYALTIES, MEASURES };
enum { M_OCCASIONS, M_OUTSIDE_SHARE, M_ALL_CUSTOMERS, M_EXPERIENCE, M_NEWCOMERS, MARKET_MEASURES };

/* ------------------------------------------------------------------ what the caller hands over (see c_twin.py) */

/* Numbers of the customers' rules. A mechanism that is off comes with the value at which it has no effect. */
struct rules {
    float noise, outside_value, gain_weight, loss_aversion, reference_rate, reference_seen;
    float experience_noise, crowding, core_floor, learning, expectation_up, expectation_down, expectation_spill;
    float disconfirmation, satisfaction_loss, performance, satisfaction_rate, neutral;
    float attention_base, attention_slope, trigger_rise, trigger_cut, trigger_expiry, trigger_contact;
    float attachment_value, attachment_growth, attachment_decay, attachment_floor, attachment_initial;
    float stay_intensity, contact_intensity, satiation, sunk_weight, sunk_decay, sunk_share;
    float hazard_natural, hazard_lapse, hazard_credit;
    float word_weight, tell_base, tell_extreme, told_dissatisfied, told_satisfied, rewired;
    float taste_sd, belief_sd;
};

enum { OPPORTUNITY, QUALITY_VALUE, PRICE_WEIGHT, SWITCHING_COST, TRANSACTION_COST, TRAITS };
enum { KIND_CONSTANT, KIND_NORMAL, KIND_LOGNORMAL, KIND_UNIFORM, KIND_TABLE };

struct trait {
    const float *table; /* CELLS + 1 quantiles, for KIND_TABLE */
    float centre, spread;
    int kind;
};

enum { LEVELS = 5 };

struct level {
    double contacts, richness, cost;
};

enum { PASSIVE, PRICE_CUT, RELATIONSHIP };

/* A firm as the scenario lists it; money per market customer. No limit on a budget is INFINITY. */
struct listing {
    uint64_t code; /* of the firm's name */
    double price, unit_cost, service, training, relationship_budget, fixed_cost, capacity, cash, credit, initial_share;
    double quality_scale, quality_adjustment, cash_use, memory, insolvency, contract_length, contract_fee;
    double strategy_depth, strategy_training, strategy_budget;
    int relationship, service_first, strategy, strategy_start, strategy_restore, strategy_promotion, strategy_level;
};

struct setup {
    uint64_t seed;
    double opportunity_mean, market_memory, cue_strength, money_unit;
    int customers, burn_in, horizon, contacts;
    int attention_on, budget_on, insolvency_on, erosion_on, word_of_mouth_on;
    int queue[FIRMS];         /* firms by name, in which order the first customers are dealt out */
    float queue_share[FIRMS]; /* cumulative share of customers along the queue */
    struct rules rules;
    struct trait traits[TRAITS];
    struct level levels[LEVELS];
    struct listing firms[FIRMS];
    /* Records, one row per tick; zero at first. */
    double *measures; /* [tick][MEASURES][FIRMS] */
    double *market;   /* [tick][MARKET_MEASURES] */
    int64_t *primary; /* [tick][FIRMS][CAUSES] */
    int64_t *labels;  /* [tick][FIRMS][CAUSES] */
    double *shares;   /* [tick][FIRMS][CAUSES] */
    double *enablers; /* [tick][FIRMS][BARRIERS] */
    int64_t *flows;   /* [tick][OPTIONS][OPTIONS] */
};

/* ------------------------------------------------------------------ state */

/* What a customer knew on taking up with the provider. It is written and read as a whole, and seldom. */
struct memory {
    int32_t row; /* of the history */
    float belief[FIRMS], crowding[FIRMS], word[FIRMS], attachment[FIRMS], reference[FIRMS];
};

/* Customers, one array per variable. */
struct people {
    int8_t *provider, *bought, *next; /* options; bought and next of this tick */
    uint8_t *known;                   /* bit j: has ever been with firm j */
    uint8_t *lost;                    /* bit j: lost by firm j by tick 0, and not come back */
    uint8_t *extra;                   /* whether the provider makes one contact more this tick */
    uint8_t *told;                    /* people told of this tick's stay */
    int16_t *tenure;
    float *opportunity, *quality_value, *price_weight, *switching_cost, *transaction_cost;
    float *expectation, *satisfaction, *sunk, *told_quality;
    /* Attachment and core quality believed, had the provider kept the best it has been since the customer joined. */
    float *kept_attachment, *kept_core;
    float *taste[FIRMS], *belief[FIRMS], *belief_crowding[FIRMS], *belief_word[FIRMS];
    float *attachment[FIRMS], *reference[FIRMS];
    struct memory *then;
    int32_t *network; /* [customer][contacts], whom each listens to */
};

struct firm {
    double price, service, training, relationship_budget, contacts, richness;
    double quality, cash, cumulative_profit, expected, customers;
    double relationship_cost, service_cost, revenue, profit, shortfall;
    int relationship;
    bool promotion, open, just_closed;
};

/* What holds for all customers in one tick. */
struct market {
    bool open[OPTIONS]; /* by option; staying away is always open */
    bool promotion[FIRMS];
    bool contacted[FIRMS][2]; /* whether customers hear from the firm, without and with the extra contact */
    float effect[FIRMS][2];   /* contact intensity, likewise */
    float extra[OPTIONS];     /* chance of the extra contact, by option */
    float price[FIRMS], cue[FIRMS], quality[FIRMS], crowding[FIRMS];
    float length[FIRMS], fee[FIRMS]; /* of contracts */
    float mean;                      /* experience */
    uint64_t involuntary, opportunity, contact, attention, experience, telling, audience; /* keys */
    uint64_t option[OPTIONS], hearing[MOST_CONTACTS], trait[TRAITS], taste[FIRMS], belief[FIRMS];
};

/* Sums over customers in one tick. */
struct sums {
    int64_t flows[OPTIONS][OPTIONS], exits[OPTIONS][EXITS], purchases[OPTIONS];
    int64_t returned[OPTIONS], cohort_returned[OPTIONS], heads[OPTIONS];
    int64_t experience, lost_pool[FIRMS];
    int64_t satisfaction[FIRMS], expectation[FIRMS], attachment[FIRMS], belief[FIRMS], reference[FIRMS];
    int64_t loyalty[FIRMS][LOYALTIES];
    int64_t primary[FIRMS][VALUE_CAUSES], labels[FIRMS][VALUE_CAUSES], shares[FIRMS][VALUE_CAUSES];
    int64_t enablers[FIRMS][BARRIERS];
};

struct twin {
    struct setup setup;
    struct people people;
    struct firm firms[FIRMS];
    struct market market;
    struct sums sums;
    int tick, row; /* row 0 is the tick before the first */
    double market_mean;
    float first_belief[FIRMS];            /* mean; what the list's spending sustains, whatever is spent now */
    float audience[2][MOST_TOLD];         /* P(at most k are told), by whether satisfied */
    float (*price)[FIRMS], (*cue)[FIRMS]; /* history, by row */
    float (*contacts)[FIRMS], (*richness)[FIRMS], (*best_quality)[FIRMS]; /* the last is the best from the row on */
    int32_t (*best_work)[FIRMS];          /* row of the best relationship work from the row on */
    bool slackened[FIRMS], worsened[FIRMS];
    char *room;
};

/* ------------------------------------------------------------------ elementary functions, in float
 * Written out as polynomials: with the library's functions no two machines would agree in the last bit. */

static inline float positive(float x) { return x > 0 ? x : 0; }

static inline float clip(float x, float low, float high)
{
    x = low > x ? low : x;
    return high < x ? high : x;
}

static inline float from_bits(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int32_t to_bits(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Moshier, Cephes. */
static inline float exponential(float x)
{
    const float rounder = 12582912.0f; /* adding and subtracting it rounds to a whole number */
    x = clip(x, -87.0f, 88.0f);
    const float n = (x * 1.44269504088896341f + rounder) - rounder;
    x = x - n * 0.693359375f;
    x = x - n * -2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * x + 1.3981999507e-3f;
    y = y * x + 8.3334519073e-3f;
    y = y * x + 4.1665795894e-2f;
    y = y * x + 1.6666665459e-1f;
    y = y * x + 5.0000001201e-1f;
    y = y * (x * x) + x + 1.0f;
    return y * from_bits(((int32_t)n + 127) << 23);
}

/* Moshier, Cephes; of a positive normal number. The mantissa is taken around 1, from sqrt(1/2) to sqrt(2), by integer
 * arithmetic on its bits: which side of 1 it lies on is a matter of luck, and no branch would be foreseen. */
static inline float logarithm(float x)
{
    const int32_t sqrt_half = 0x3F3504F3, above = to_bits(x) - sqrt_half;
    const float exponent = (float)(above >> 23);
    const float m = from_bits((above & 0x7FFFFF) + sqrt_half) - 1.0f;
    const float z = m * m;
    float y = 7.0376836292e-2f;
    y = y * m + -1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m + -1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m + -1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m + -2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * z + exponent * -2.12194440e-4f - 0.5f * z;
    return m + y + exponent * 0.693359375f;
}

static inline float gumbel(float u) { return -logarithm(-logarithm(u)); }

/* Standard normal quantile, Giles 2010. */
static inline float normal(float u)
{
    const float x = u + u - 1.0f;
    const float w = -logarithm((1.0f - x) * (1.0f + x));
    float y;
    if (w < 5.0f) {
        const float c = w - 2.5f;
        y = 2.81022636e-08f;
        y = y * c + 3.43273939e-07f;
        y = y * c + -3.5233877e-06f;
        y = y * c + -4.39150654e-06f;
        y = y * c + 0.00021858087f;
        y = y * c + -0.00125372503f;
        y = y * c + -0.00417768164f;
        y = y * c + 0.246640727f;
        y = y * c + 1.50140941f;
    } else {
        const float c = sqrtf(w) - 3.0f;
        y = -0.000200214257f;
        y = y * c + 0.000100950558f;
        y = y * c + 0.00134934322f;
        y = y * c + -0.00367342844f;
        y = y * c + 0.00573950773f;
        y = y * c + -0.0076224613f;
        y = y * c + 0.00943887047f;
        y = y * c + 1.00167406f;
        y = y * c + 2.83297682f;
    }
    return 1.41421356237309515f * x * y;
}

/* ------------------------------------------------------------------ random numbers: functions of (key, customer) */

#define GOLDEN 0x9E3779B97F4A7C15u
#define MIX_1 0xBF58476D1CE4E5B9u
#define MIX_2 0x94D049BB133111EBu

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * MIX_1;
    x = (x ^ (x >> 27)) * MIX_2;
    return x ^ (x >> 31);
}

static uint64_t stream_key(uint64_t seed, int stream, int64_t tick, uint64_t part)
{
    uint64_t key = mix(seed + GOLDEN);
    key = mix(key + (uint64_t)stream * GOLDEN);
    key = mix(key + (uint64_t)tick * MIX_1);
    return mix(key + part);
}

/* A number strictly between 0 and 1, of 23 bits. */
static inline float uniform(uint64_t key, uint64_t who)
{
    return ((float)(int32_t)(mix(key + who * GOLDEN) >> 41) + 0.5f) * 0x1p-23f;
}

/* ------------------------------------------------------------------ customers come into being */

static float trait(const struct trait *d, float u)
{
    switch (d->kind) {
    case KIND_NORMAL:
        return d->centre + d->spread * clip(normal(u), -4.0f, 4.0f);
    case KIND_LOGNORMAL:
        return d->centre * exponential(d->spread * normal(u) - 0.5f * d->spread * d->spread);
    case KIND_UNIFORM:
        return d->centre + d->spread * u;
    case KIND_TABLE: {
        const float position = u * (float)CELLS;
        const int cell = (int)position;
        return d->table[cell] + (position - (float)cell) * (d->table[cell + 1] - d->table[cell]);
    }
    default:
        return d->centre;
    }
}

/* Remember what the customer knows on taking up with an option: departures are explained against it. */
static void remember(const struct people *c, int row, int i)
{
    struct memory *then = &c->then[i];
    then->row = row;
    for (int j = 0; j < FIRMS; j++) {
        then->belief[j] = c->belief[j][i];
        then->crowding[j] = c->belief_crowding[j][i];
        then->word[j] = c->belief_word[j][i];
        then->attachment[j] = c->attachment[j][i];
        then->reference[j] = c->reference[j][i];
    }
    const int home = c->provider[i] - 1;
    c->kept_attachment[i] = home < 0 ? 0 : c->attachment[home][i];
    c->kept_core[i] = home < 0 ? 0 : c->belief[home][i] - c->belief_crowding[home][i] - c->belief_word[home][i];
}

/* Make a customer without any history, who belongs to nobody. */
static void be_born(const struct twin *t, int i)
{
    const struct people *c = &t->people;
    const struct market *m = &t->market;
    const struct trait *traits = t->setup.traits;
    const struct rules *r = &t->setup.rules;
    c->opportunity[i] = clip(trait(&traits[OPPORTUNITY], uniform(m->trait[OPPORTUNITY], i)), 0, 1);
    c->quality_value[i] = trait(&traits[QUALITY_VALUE], uniform(m->trait[QUALITY_VALUE], i));
    c->price_weight[i] = trait(&traits[PRICE_WEIGHT], uniform(m->trait[PRICE_WEIGHT], i));
    c->switching_cost[i] = trait(&traits[SWITCHING_COST], uniform(m->trait[SWITCHING_COST], i));
    c->transaction_cost[i] = trait(&traits[TRANSACTION_COST], uniform(m->trait[TRANSACTION_COST], i));
    c->provider[i] = 0;
    c->tenure[i] = 0;
    c->known[i] = 0;
    c->lost[i] = 0;
    c->expectation[i] = 0;
    c->satisfaction[i] = r->neutral;
    c->sunk[i] = 0;
    for (int j = 0; j < FIRMS; j++) {
        c->taste[j][i] = r->taste_sd * normal(uniform(m->taste[j], i));
        c->belief[j][i] = clip(t->first_belief[j] + r->belief_sd * normal(uniform(m->belief[j], i)), 0, 1);
        c->belief_crowding[j][i] = 0;
        c->belief_word[j][i] = 0;
        c->attachment[j][i] = 0;
        c->reference[j][i] = m->price[j];
    }
    remember(c, t->row, i);
}

static void deal_out(struct twin *t)
{
    const struct people *c = &t->people;
    const struct setup *s = &t->setup;
    const uint64_t key = stream_key(s->seed, FOR_PROVIDER, 0, 0);
    for (int i = 0; i < s->customers; i++) {
        be_born(t, i);
        const float luck = uniform(key, i);
        for (int q = 0; q < FIRMS; q++)
            if (luck < s->queue_share[q]) {
                const int j = s->queue[q];
                c->provider[i] = (int8_t)(j + 1);
                c->known[i] = (uint8_t)(1 << j);
                c->attachment[j][i] = s->rules.attachment_initial;
                c->expectation[i] = c->belief[j][i];
                remember(c, t->row, i);
                break;
            }
    }
}

/* A small world (E19; Watts & Strogatz 1998): the nearest on a ring, some ties rewired to anybody. */
static void get_acquainted(struct twin *t)
{
    const int n = t->setup.customers, contacts = t->setup.contacts;
    const uint64_t network = stream_key(t->setup.seed, FOR_NETWORK, 0, 0);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < contacts; k++) {
            const uint64_t key = network + (uint64_t)(k + 1) * 0x632BE59BD9B4E019u;
            const int step = (k / 2 + 1) % n;
            int32_t who = (i + (k % 2 ? n - step : step)) % n;
            if (uniform(key, i) < t->setup.rules.rewired) {
                const uint64_t bits = mix((key ^ 0xD1342543DE82EF95u) + (uint64_t)i * GOLDEN);
                who = (int32_t)(((bits >> 32) * (uint64_t)n) >> 32);
            }
            t->people.network[(size_t)i * contacts + k] = who;
        }
}

/* ------------------------------------------------------------------ what options are worth (E1-E6, E13-E18) */

static inline float quality_worth(float belief, float theta, float floor)
{
    const float worth = theta * belief;
    return belief >= floor ? worth : worth * (positive(belief) / floor);
}

static inline float transaction_utility(const struct rules *r, float reference, float price)
{
    const float gain = reference - price;
    return r->gain_weight * (gain >= 0 ? gain : r->loss_aversion * gain);
}

static inline float contract_barrier(float fee, float length, float tenure)
{
    const float left = length - tenure;
    return left > 0 ? fee * left / length : 0;
}

/* Value of a firm before any cost of moving. */
static inline float firm_worth(const struct people *c, const struct rules *r, const struct market *m, int i, int j)
{
    const float theta = c->quality_value[i];
    return quality_worth(c->belief[j][i], theta, r->core_floor) - c->price_weight[i] * m->price[j]
           + transaction_utility(r, c->reference[j][i], m->price[j]) + r->attachment_value * c->attachment[j][i]
           + c->taste[j][i] + (c->known[i] >> j & 1 ? 0 : theta * m->cue[j]);
}

/* ------------------------------------------------------------------ why a customer left */

/* Split one departure over its causes and add it to the tick's sums; see docs/decisions/0004-attribution.md.
 * `margin` is by how much the option taken was the better one, luck included. */
static void explain(struct twin *t, int i, int taken, float margin)
{
    const struct people *c = &t->people;
    const struct rules *r = &t->setup.rules;
    const struct market *m = &t->market;
    struct sums *s = &t->sums;
    const struct memory *then = &c->then[i];
    const int firm = c->provider[i] - 1;
    const float theta = c->quality_value[i], weight = c->price_weight[i];
    const float *price_then = t->price[then->row], *cue_then = t->cue[then->row];
    float term[VALUE_CAUSES] = {0};

    /* The firm that is left: what became worse speaks for leaving. */
    const float kept = c->kept_core[i] + then->crowding[firm] + then->word[firm];
    const float belief = c->belief[firm][i], belief_then = kept > then->belief[firm] ? kept : then->belief[firm];
    term[BY_PRICE] = weight * (m->price[firm] - price_then[firm]);
    term[BY_REFERENCE] = transaction_utility(r, then->reference[firm], price_then[firm])
                         - transaction_utility(r, c->reference[firm][i], m->price[firm]);
    const float quality = quality_worth(belief, theta, r->core_floor);
    const float quality_then = quality_worth(belief_then, theta, r->core_floor);
    /* Along the chord the parts of a belief add up to its whole, bent at the floor as its value is. */
    const float change = belief - belief_then;
    const float slope = fabsf(change) < 1e-5f ? theta : (quality - quality_then) / change;
    term[BY_CROWDING] = -slope * (c->belief_crowding[firm][i] - then->crowding[firm]);
    term[BY_WORD] = -slope * (c->belief_word[firm][i] - then->word[firm]);
    term[BY_CORE] = quality_then - quality - term[BY_CROWDING] - term[BY_WORD];
    const float most = c->kept_attachment[i] > then->attachment[firm] ? c->kept_attachment[i] : then->attachment[firm];
    term[BY_NEGLECT] = r->attachment_value * most - r->attachment_value * c->attachment[firm][i];

    /* The option that is taken: what became better speaks for leaving. The outside has only its luck. */
    if (taken > 0) {
        const int rival = taken - 1;
        const float cheaper = -weight * (m->price[rival] - price_then[rival]);
        const float gain = transaction_utility(r, c->reference[rival][i], m->price[rival])
                           - transaction_utility(r, then->reference[rival], price_then[rival]);
        if (m->promotion[rival]) {
            term[BY_RIVAL_PROMOTION] = cheaper + gain;
        } else {
            term[BY_RIVAL_PRICE] = cheaper;
            term[BY_RIVAL_REFERENCE] = gain;
        }
        if (!(c->known[i] >> rival & 1))
            term[BY_RIVAL_CUE] = theta * (m->cue[rival] - cue_then[rival]);
        term[BY_RIVAL_WORD] = quality_worth(c->belief[rival][i], theta, r->core_floor)
                              - quality_worth(then->belief[rival], theta, r->core_floor);
        term[BY_RIVAL_ATTACHMENT] = r->attachment_value * c->attachment[rival][i]
                                    - r->attachment_value * then->attachment[rival];
    }

    /* Nobody left because of all this who would have left without it: then it was the customer's own wish. */
    float total = 0;
    for (int k = 0; k < VALUE_CAUSES; k++)
        total = total + positive(term[k]);
    int primary = BY_VARIETY;
    if (total > margin) {
        float largest = 0;
        for (int k = 0; k < VALUE_CAUSES; k++) {
            if (!(term[k] > 0))
                continue;
            const float share = term[k] / total;
            s->shares[firm][k] += (int64_t)rint(share * SCALE);
            s->labels[firm][k] += share >= 0.2f;
            if (share > largest) {
                largest = share;
                primary = k;
            }
        }
    } else {
        s->shares[firm][BY_VARIETY] += (int64_t)SCALE;
        s->labels[firm][BY_VARIETY] += 1;
    }
    s->primary[firm][primary] += 1;

    /* Barriers that have worn off. Sunk cost begins at zero on joining; switching and transaction costs are
     * constant without dated moves; a contract had its whole length ahead. */
    const float sunk = -(r->sunk_weight * c->sunk[i]);
    const float contract = contract_barrier(m->fee[firm], m->length[firm], 0)
                           - contract_barrier(m->fee[firm], m->length[firm], (float)c->tenure[i]);
    s->enablers[firm][SUNK] += (int64_t)rint(sunk / t->setup.money_unit * SCALE);
    s->enablers[firm][TERMINATION] += (int64_t)rint(contract / t->setup.money_unit * SCALE);
}

/* ------------------------------------------------------------------ phase: choose */

/* Log-odds by which prices, contracts and contacts have stirred the customer (E11). */
static inline float stirred(const struct people *c, const struct rules *r, const struct market *m, int i, int home)
{
    float triggers = 0, deepest = 0;
    if (home > 0) {
        const int own = home - 1;
        const float price = m->price[own], reference = c->reference[own][i];
        if (price > reference && reference > 0)
            triggers = r->trigger_rise * ((price - reference) / reference);
        if (m->length[own] > 0 && (float)c->tenure[i] == m->length[own])
            triggers = triggers + r->trigger_expiry;
        if (m->contacted[own][c->extra[i]])
            triggers = triggers + r->trigger_contact;
    }
    for (int j = 0; j < FIRMS; j++) {
        const float price = m->price[j], reference = c->reference[j][i];
        if ((home != j + 1) & m->open[j + 1] & (price < reference) & (reference > 0)) {
            const float below = (reference - price) / reference;
            deepest = below > deepest ? below : deepest;
        }
    }
    return triggers + r->trigger_cut * deepest;
}

/* Return the option of highest utility; a tie goes to the present one, then to the first (E1). */
static inline int best_option(struct twin *t, const struct people *c, const struct rules *r, const struct market *m,
                              int i, int home)
{
    float value[OPTIONS], luck[OPTIONS];
    float moving = c->known[i] ? c->switching_cost[i] : 0, staying = r->outside_value;
    if (home > 0)
        moving = moving + contract_barrier(m->fee[home - 1], m->length[home - 1], (float)c->tenure[i]);
    value[0] = r->outside_value - moving;
    luck[0] = gumbel(uniform(m->option[0], i));
    for (int j = 0; j < FIRMS; j++) {
        const float worth = firm_worth(c, r, m, i, j);
        staying = home == j + 1 ? worth + r->sunk_weight * c->sunk[i] : staying;
        value[j + 1] = worth - (moving + (c->known[i] >> j & 1 ? 0 : c->transaction_cost[i]));
        luck[j + 1] = gumbel(uniform(m->option[j + 1], i));
    }
    value[home] = staying;
    int best = home;
    float highest = staying + r->noise * luck[home];
    for (int option = 0; option < OPTIONS; option++) {
        const float utility = value[option] + r->noise * luck[option];
        if ((utility > highest) & (option != home) & m->open[option]) {
            highest = utility;
            best = option;
        }
    }
    if (home > 0 && best != home)
        explain(t, i, best, value[best] - staying + r->noise * (luck[best] - luck[home]));
    return best;
}

/* Let everybody stay, defect, leave the market or come back. */
static void choose(struct twin *t)
{
    const struct people c = t->people;
    const struct rules r = t->setup.rules;
    const struct market m = t->market;
    struct sums *s = &t->sums;
    const int n = t->setup.customers, attention_on = t->setup.attention_on;
    const float lapse_below = r.hazard_natural + r.hazard_lapse, credit_below = lapse_below + r.hazard_credit;

    for (int i = 0; i < n; i++) {
        const int home = c.provider[i];
        int bought = NOTHING, next = home;
        c.extra[i] = m.extra[home] > 0 && uniform(m.contact, i) < m.extra[home];
        const float fate = uniform(m.involuntary, i);
        if (fate < r.hazard_natural) {
            bought = GONE_FOR_GOOD;
            next = 0;
            s->exits[home][NATURAL]++;
            s->flows[home][0]++;
        } else if (home > 0 && (fate < credit_below || !m.open[home])) {
            next = 0;
            s->exits[home][!m.open[home] ? CLOSURE : fate < lapse_below ? LAPSE : CREDIT]++;
            s->flows[home][0]++;
        } else if (uniform(m.opportunity, i) < c.opportunity[i]) {
            const float odds = r.attention_base - r.attention_slope * (c.satisfaction[i] - 0.5f)
                               + stirred(&c, &r, &m, i, home);
            if (!attention_on || uniform(m.attention, i) < 1.0f / (1.0f + exponential(-odds))) {
                next = best_option(t, &c, &r, &m, i, home);
                if (next != home) {
                    s->flows[home][next]++;
                    s->returned[next] += next > 0 && c.known[i] >> (next - 1) & 1;
                    s->cohort_returned[next] += next > 0 && c.lost[i] >> (next - 1) & 1;
                }
            }
            bought = next;
            s->purchases[next]++;
        }
        c.bought[i] = (int8_t)bought;
        c.next[i] = (int8_t)next;
    }
}

/* ------------------------------------------------------------------ phase: serve */

static inline void move_house(const struct people *c, const struct rules *r, const struct market *m, int i, int next)
{
    c->tenure[i] = 0;
    c->sunk[i] = 0;
    c->satisfaction[i] = r->neutral;
    if (next > 0) {
        const int j = next - 1, bit = 1 << j;
        c->expectation[i] = clip(c->belief[j][i] + (c->known[i] & bit ? 0 : m->cue[j]), 0, 1);
        c->known[i] = (uint8_t)(c->known[i] | bit);
        c->lost[i] = (uint8_t)(c->lost[i] & ~bit);
    }
}

/* A stay with firm `j` (E7-E10); return what it was like. */
static inline float stay(const struct people *c, const struct rules *r, const struct market *m, int i, int j)
{
    const float luck = normal(uniform(m->experience, i));
    const float felt = clip(m->quality[j] - m->crowding[j] + r->experience_noise * luck, 0, 1);
    c->belief[j][i] += r->learning * (felt - c->belief[j][i]);
    c->belief_crowding[j][i] += r->learning * (-m->crowding[j] - c->belief_crowding[j][i]);
    c->belief_word[j][i] += r->learning * (0 - c->belief_word[j][i]);
    const float expected = c->expectation[i], gap = felt - expected;
    const float disconfirmed = r->disconfirmation * gap * (gap < 0 ? r->satisfaction_loss : 1.0f);
    const float pleased = clip(0.5f + disconfirmed + r->performance * (felt - m->mean), 0, 1);
    c->satisfaction[i] += r->satisfaction_rate * (pleased - c->satisfaction[i]);
    c->expectation[i] = expected + (felt > expected ? r->expectation_up : r->expectation_down) * gap;
    return felt;
}

/* How many people hear of a stay (E19). */
static inline int audience(const struct twin *t, const struct rules *r, const struct market *m, int i,
                           float satisfaction)
{
    const float chance = r->tell_base + r->tell_extreme * 2.0f * fabsf(satisfaction - 0.5f);
    if (!(uniform(m->telling, i) < (chance < 1.0f ? chance : 1.0f)))
        return 0;
    const float luck = uniform(m->audience, i), *at_most = t->audience[satisfaction >= 0.5f];
    int told = 0;
    while (told < MOST_TOLD && luck > at_most[told])
        told++;
    return told;
}

/* How effective contacts in one tick are (first form of E14). */
static float contact_effect(float contacts, float richness, float satiation)
{
    if (contacts <= 0)
        return 0;
    const float effect = richness * contacts / (1.0f + (contacts - 1.0f) / satiation);
    return effect < 1.0f ? effect : 1.0f;
}

/* What a stay would have taught, had firm `j` kept its best quality since the customer joined. */
static inline void keep_core(const struct twin *t, int i, int j, float felt)
{
    const struct market *m = &t->market;
    float *kept = &t->people.kept_core[i];
    if (t->worsened[j])
        felt = clip(felt + (t->best_quality[t->people.then[i].row][j] - m->quality[j]), 0, 1);
    *kept += t->setup.rules.learning * (felt + m->crowding[j] - *kept);
}

/* How attached the customer would be, had firm `j` kept its best relationship work; `contact` is this tick's. */
static inline void keep_attached(const struct twin *t, int i, int j, bool stayed, bool bought, float contact)
{
    const struct people *c = &t->people;
    const struct rules *r = &t->setup.rules;
    if (t->slackened[j] && stayed) {
        const int best = t->best_work[c->then[i].row][j];
        const float wished = t->contacts[best][j], whole = floorf(wished);
        const float received = whole + (uniform(t->market.contact, i) < wished - whole ? 1.0f : 0.0f);
        const float effect = contact_effect(received, t->richness[best][j], r->satiation);
        contact = (bought ? r->stay_intensity : 0) + r->contact_intensity * effect;
    }
    const float level = c->kept_attachment[i];
    const float gain = r->attachment_growth * contact * positive(c->satisfaction[i] - r->attachment_floor) * (1.0f - level);
    const float kept = level + gain - r->attachment_decay * level * (1.0f - contact);
    c->kept_attachment[i] = c->attachment[j][i] > kept ? c->attachment[j][i] : kept;
}

/* Deliver stays and contacts, and let customers learn, feel and remember. */
static void serve(struct twin *t)
{
    const struct people c = t->people;
    const struct rules r = t->setup.rules;
    const struct market m = t->market;
    const int n = t->setup.customers;
    const float seen_rate = r.reference_rate * r.reference_seen;
    int64_t experience = 0;
    float payment[OPTIONS] = {0};
    for (int j = 0; j < FIRMS; j++)
        payment[j + 1] = r.sunk_share * m.price[j];

    for (int i = 0; i < n; i++) {
        const int home = c.provider[i], next = c.next[i], bought = c.bought[i];
        int told = 0;
        if (bought == GONE_FOR_GOOD) {
            be_born(t, i);
            c.told[i] = 0;
            continue;
        }
        if (next != home) {
            move_house(&c, &r, &m, i, next);
            c.provider[i] = (int8_t)next;
            remember(&t->people, t->row, i);
        }
        if (bought > 0) {
            const float felt = stay(&c, &r, &m, i, bought - 1);
            keep_core(t, i, bought - 1, felt);
            experience += (int64_t)(felt * (float)SCALE);
            told = audience(t, &r, &m, i, c.satisfaction[i]);
            if (told)
                c.told_quality[i] = felt;
        }
        c.told[i] = (uint8_t)told;
        c.sunk[i] = c.sunk[i] - r.sunk_decay * c.sunk[i] + (bought > 0 ? payment[bought] : 0);
        float best = 0;
        for (int j = 0; j < FIRMS; j++) {
            const float level = c.attachment[j][i];
            float contact = bought == j + 1 ? r.stay_intensity : 0;
            if (home == j + 1)
                contact = contact + m.effect[j][c.extra[i]];
            const float growth = next == j + 1 ? r.attachment_growth : 0;
            const float gain = growth * contact * positive(c.satisfaction[i] - r.attachment_floor) * (1.0f - level);
            c.attachment[j][i] = level + gain - r.attachment_decay * level * (1.0f - contact);
            if (next == j + 1)
                keep_attached(t, i, j, home == next, bought == next, contact);
            c.reference[j][i] += (bought == j + 1 ? r.reference_rate : seen_rate) * (m.price[j] - c.reference[j][i]);
            if (m.open[j + 1])
                best = c.belief[j][i] > best ? c.belief[j][i] : best;
        }
        if (next > 0) {
            c.expectation[i] += r.expectation_spill * positive(best - c.expectation[i]);
            if (c.tenure[i] < LONGEST_TENURE)
                c.tenure[i]++;
        }
    }
    t->sums.experience = experience;
}

/* ------------------------------------------------------------------ phase: listen */

/* Everybody hears what some acquaintances tell of this tick's stays (E19). */
static void listen(struct twin *t)
{
    const struct people c = t->people;
    const int n = t->setup.customers, contacts = t->setup.contacts;
    const float weight = t->setup.rules.word_weight;
    const int32_t *network = c.network;
    for (int i = 0; i < n; i++, network += contacts)
        for (int k = 0; k < contacts; k++) {
            const int32_t teller = network[k];
            const int told = c.told[teller];
            if (!told || teller == i || !(uniform(t->market.hearing[k], i) * (float)contacts < (float)told))
                continue;
            const int j = c.bought[teller] - 1;
            const float before = c.belief[j][i], after = before + weight * (c.told_quality[teller] - before);
            c.belief[j][i] = after;
            c.belief_word[j][i] += after - before;
        }
}

/* ------------------------------------------------------------------ phase: measure */

/* Sum up each firm's customers. */
static void count(struct twin *t)
{
    const struct people c = t->people;
    const struct market m = t->market;
    struct sums *s = &t->sums;
    const int n = t->setup.customers;
    const float attachment_value = t->setup.rules.attachment_value;
    const double money_scale = SCALE / t->setup.money_unit;
    for (int i = 0; i < n; i++) {
        const int home = c.provider[i];
        s->heads[home]++;
        for (int j = 0; j < FIRMS; j++)
            s->lost_pool[j] += (c.known[i] >> j & 1) && home != j + 1;
        if (home == 0)
            continue;
        const int own = home - 1;
        s->satisfaction[own] += (int64_t)(c.satisfaction[i] * (float)SCALE);
        s->expectation[own] += (int64_t)(c.expectation[i] * (float)SCALE);
        s->attachment[own] += (int64_t)(c.attachment[own][i] * (float)SCALE);
        s->belief[own] += (int64_t)(c.belief[own][i] * (float)SCALE);
        s->reference[own] += (int64_t)(c.reference[own][i] * money_scale);
        float liking[FIRMS], best = -INFINITY;
        for (int j = 0; j < FIRMS; j++) {
            liking[j] = attachment_value * c.attachment[j][i] + c.quality_value[i] * c.belief[j][i] + c.taste[j][i];
            if (j != own && m.open[j + 1])
                best = liking[j] > best ? liking[j] : best;
        }
        const bool likes = liking[own] > best, repeats = c.tenure[i] >= REPEAT_TENURE;
        s->loyalty[own][repeats ? (likes ? TRUE_LOYAL : SPURIOUS_LOYAL) : (likes ? LATENT_LOYAL : NOT_LOYAL)]++;
    }
}

/* Means over a firm's customers. */
static double per_head(int64_t sum, double scale, int64_t heads)
{
    return heads > 0 ? (double)sum * scale / (double)heads : NAN;
}

static void record(struct twin *t)
{
    const struct sums *s = &t->sums;
    const struct setup *setup = &t->setup;
    const size_t tick = (size_t)t->row - 1;
    double(*out)[FIRMS] = (double(*)[FIRMS])(setup->measures + tick * MEASURES * FIRMS);
    double *market = setup->market + tick * MARKET_MEASURES;
    int64_t(*primary)[CAUSES] = (int64_t(*)[CAUSES])(setup->primary + tick * FIRMS * CAUSES);
    int64_t(*labels)[CAUSES] = (int64_t(*)[CAUSES])(setup->labels + tick * FIRMS * CAUSES);
    double(*shares)[CAUSES] = (double(*)[CAUSES])(setup->shares + tick * FIRMS * CAUSES);
    double(*enablers)[BARRIERS] = (double(*)[BARRIERS])(setup->enablers + tick * FIRMS * BARRIERS);
    memcpy(setup->flows + tick * OPTIONS * OPTIONS, s->flows, sizeof s->flows);

    const double size = setup->customers;
    int64_t occasions = 0, newcomers = 0;
    for (int option = 0; option < OPTIONS; option++) {
        occasions += s->purchases[option];
        newcomers += s->exits[option][NATURAL];
    }
    market[M_OCCASIONS] = (double)occasions;
    market[M_OUTSIDE_SHARE] = occasions ? (double)s->purchases[0] / (double)occasions : NAN;
    market[M_ALL_CUSTOMERS] = size;
    market[M_EXPERIENCE] = t->market_mean;
    market[M_NEWCOMERS] = (double)newcomers;

    for (int j = 0; j < FIRMS; j++) {
        const struct firm *f = &t->firms[j];
        const int64_t heads = s->heads[j + 1];
        int64_t lost = 0, joined = 0;
        for (int option = 0; option < OPTIONS; option++) {
            lost += s->flows[j + 1][option];
            joined += s->flows[option][j + 1];
        }
        const int64_t started = heads + lost - joined;
        out[M_SHARE][j] = occasions ? (double)s->purchases[j + 1] / (double)occasions : NAN;
        out[M_CUSTOMERS][j] = (double)heads;
        out[M_CUSTOMER_SHARE][j] = (double)heads / size;
        out[M_STAYS][j] = (double)s->purchases[j + 1];
        out[M_JOINED][j] = (double)joined;
        out[M_LOST][j] = (double)lost;
        out[M_CHURN][j] = started > 0 ? (double)lost / (double)started : NAN;
        out[M_RETENTION][j] = 1 - out[M_CHURN][j];
        out[M_RETURNED][j] = (double)s->returned[j + 1];
        out[M_COHORT_RETURNED][j] = (double)s->cohort_returned[j + 1];
        out[M_LOST_POOL][j] = (double)s->lost_pool[j];
        out[M_SATISFACTION][j] = per_head(s->satisfaction[j], 1 / SCALE, heads);
        out[M_EXPECTATION][j] = per_head(s->expectation[j], 1 / SCALE, heads);
        out[M_ATTACHMENT][j] = per_head(s->attachment[j], 1 / SCALE, heads);
        out[M_BELIEF][j] = per_head(s->belief[j], 1 / SCALE, heads);
        out[M_REFERENCE][j] = per_head(s->reference[j], setup->money_unit / SCALE, heads);
        for (int k = 0; k < LOYALTIES; k++)
            out[M_LOYALTY + k][j] = per_head(s->loyalty[j][k], 1, heads);
        /* A firm that closed in an earlier tick has no price or quality any more. */
        const bool trades = f->open || f->just_closed;
        out[M_QUALITY][j] = trades ? f->quality : NAN;
        out[M_CROWDING][j] = trades ? t->market.crowding[j] : NAN;
        out[M_PRICE][j] = trades ? f->price : NAN;
        out[M_SERVICE][j] = trades ? f->service : NAN;
        out[M_TRAINING][j] = trades ? f->training : NAN;
        out[M_CONTACTS][j] = trades ? f->contacts : NAN;
        out[M_RELATIONSHIP_COST][j] = f->relationship_cost * size;
        out[M_SERVICE_COST][j] = f->service_cost * size;
        out[M_REVENUE][j] = f->revenue * size;
        out[M_PROFIT][j] = f->profit * size;
        out[M_CUMULATIVE_PROFIT][j] = f->cumulative_profit * size;
        out[M_CASH][j] = f->cash * size;
        out[M_SHORTFALL][j] = f->shortfall * size;
        out[M_OPEN][j] = f->open;
        for (int k = 0; k < VALUE_CAUSES; k++) {
            primary[j][k] = s->primary[j][k];
            labels[j][k] = s->labels[j][k];
            shares[j][k] = (double)s->shares[j][k] / SCALE;
        }
        for (int k = 0; k < EXITS; k++) {
            primary[j][VALUE_CAUSES + k] = labels[j][VALUE_CAUSES + k] = s->exits[j + 1][k];
            shares[j][VALUE_CAUSES + k] = (double)s->exits[j + 1][k];
        }
        for (int k = 0; k < BARRIERS; k++)
            enablers[j][k] = (double)s->enablers[j][k] / SCALE * setup->money_unit;
    }
}

/* ------------------------------------------------------------------ firms (E27, E29) */

static double quality_bought(double money, double scale) { return 1 - exp(-money / scale); }

/* Correctly rounded sum of a few numbers (Shewchuk 1997): it must not depend on the order of firms. */
static double exact_sum(const double *numbers, int n)
{
    double part[FIRMS + 1];
    int parts = 0;
    for (int k = 0; k < n; k++) {
        double x = numbers[k];
        int kept = 0;
        for (int q = 0; q < parts; q++) {
            const double large = fabs(x) < fabs(part[q]) ? part[q] : x, small = large == x ? part[q] : x;
            x = large + small;
            const double lost = small - (x - large);
            if (lost != 0)
                part[kept++] = lost;
        }
        part[kept] = x;
        parts = kept + 1;
    }
    if (parts == 0)
        return 0;
    double sum = part[--parts], lost = 0;
    while (parts > 0 && lost == 0) {
        const double before = sum, next = part[--parts];
        sum = before + next;
        lost = next - (sum - before);
    }
    /* Half-way cases follow the sign of what is still to come. */
    if (parts > 0 && ((lost < 0 && part[parts - 1] < 0) || (lost > 0 && part[parts - 1] > 0))) {
        const double doubled = sum + lost * 2;
        if (doubled - sum == lost * 2)
            sum = doubled;
    }
    return sum;
}

/* Set the levers: in play the strategy's, and as listed otherwise. */
static void decide(struct twin *t, int j)
{
    struct firm *f = &t->firms[j];
    const struct listing *l = &t->setup.firms[j];
    f->price = l->price;
    f->promotion = false;
    f->service = l->service;
    f->training = l->training;
    f->relationship = l->relationship;
    f->relationship_budget = l->relationship_budget;
    if (t->tick < 1 || t->tick < l->strategy_start)
        return;
    if (l->strategy == PRICE_CUT && t->tick < l->strategy_restore) {
        f->price = l->price * (1 - l->strategy_depth);
        f->promotion = l->strategy_promotion;
    } else if (l->strategy == RELATIONSHIP) {
        f->training = l->training + l->strategy_training;
        f->relationship = l->strategy_level;
        f->relationship_budget = l->strategy_budget;
    }
}

/* Let the budget decide how much of the wishes comes true. */
static void fund(struct twin *t, int j)
{
    struct firm *f = &t->firms[j];
    const struct listing *l = &t->setup.firms[j];
    const struct level *level = &t->setup.levels[f->relationship];
    if (!f->open) {
        f->service = f->training = f->contacts = f->relationship_cost = f->shortfall = 0;
        return;
    }
    const double spend = f->relationship_budget < level->cost ? f->relationship_budget : level->cost;
    const double part = level->cost > 0 ? spend / level->cost : 1;
    const double service_wish = (f->service + f->training) * f->expected, contact_wish = spend * f->customers;
    double service_share = 1, contact_share = 1;
    if (t->setup.budget_on) {
        double available = (f->price - l->unit_cost) * f->expected - l->fixed_cost;
        available = (available > 0 ? available : 0) + l->cash_use * (f->cash + l->credit > 0 ? f->cash + l->credit : 0);
        const double first = l->service_first ? service_wish : contact_wish;
        const double second = l->service_first ? contact_wish : service_wish;
        double first_share = 1, second_share = 1;
        if (first > available) {
            first_share = available / first;
            available = 0;
        } else {
            available = available - first;
        }
        if (second > available)
            second_share = available / second;
        service_share = l->service_first ? first_share : second_share;
        contact_share = l->service_first ? second_share : first_share;
    }
    f->service *= service_share;
    f->training *= service_share;
    f->contacts = level->contacts * part * contact_share;
    f->richness = level->richness;
    f->relationship_cost = contact_wish * contact_share;
    f->shortfall = service_wish * (1 - service_share) + contact_wish * (1 - contact_share);
}

/* Close the tick's books; before tick 1 the owners take the profit and cash stands still. */
static void settle(struct twin *t, int j)
{
    struct firm *f = &t->firms[j];
    const struct listing *l = &t->setup.firms[j];
    const double stays = (double)t->sums.purchases[j + 1] / t->setup.customers;
    f->revenue = f->price * stays;
    f->service_cost = (f->service + f->training) * stays;
    f->profit = f->revenue - l->unit_cost * stays - f->service_cost - f->relationship_cost
                - (f->open ? l->fixed_cost : 0);
    f->expected = f->expected + l->memory * (stays - f->expected);
    f->just_closed = false;
    if (t->tick < 1)
        return;
    f->cash += f->profit;
    f->cumulative_profit += f->profit;
    if (t->setup.insolvency_on && t->setup.budget_on && f->open
        && f->cash < -(l->credit + l->insolvency * l->fixed_cost)) {
        f->open = false;
        f->just_closed = true;
    }
}

/* ------------------------------------------------------------------ a tick */

/* Keep the best that firm `j` has been from each row of the history on. */
static void keep_best(struct twin *t, int j, float contacts, float richness)
{
    const int row = t->row;
    const float quality = t->market.quality[j];
    t->contacts[row][j] = contacts;
    t->richness[row][j] = richness;
    t->best_work[row][j] = row;
    t->best_quality[row][j] = quality;
    t->slackened[j] = t->worsened[j] = false;
    for (int then = 0; then < row; then++) {
        const int best = t->best_work[then][j];
        if (t->contacts[best][j] * t->richness[best][j] > contacts * richness)
            t->slackened[j] = true;
        else
            t->best_work[then][j] = row;
        if (t->best_quality[then][j] > quality)
            t->worsened[j] = true;
        else
            t->best_quality[then][j] = quality;
    }
}

/* Publish what holds for all customers in the tick that begins. */
static void publish(struct twin *t)
{
    const struct setup *s = &t->setup;
    const uint64_t seed = s->seed;
    const int tick = t->tick, born = t->row == 0 ? FIRST_BIRTH : tick;
    struct market *m = &t->market;
    double prices[FIRMS];
    int trading = 0;
    for (int j = 0; j < FIRMS; j++)
        if (t->firms[j].open)
            prices[trading++] = t->firms[j].price;
    const double mean = trading ? exact_sum(prices, trading) / trading : 0;

    m->open[0] = true;
    m->extra[0] = 0;
    m->option[0] = stream_key(seed, FOR_OPTION, tick, 0);
    for (int j = 0; j < FIRMS; j++) {
        const struct firm *f = &t->firms[j];
        const uint64_t code = s->firms[j].code;
        const float contacts = (float)(f->open ? f->contacts : 0), whole = floorf(contacts);
        m->open[j + 1] = f->open;
        m->promotion[j] = f->promotion;
        m->price[j] = t->price[t->row][j] = (float)f->price;
        m->cue[j] = t->cue[t->row][j] = (float)(mean > 0 ? s->cue_strength * (f->price - mean) / mean : 0);
        m->quality[j] = (float)f->quality;
        m->length[j] = (float)s->firms[j].contract_length;
        m->fee[j] = (float)s->firms[j].contract_fee;
        m->extra[j + 1] = contacts - whole;
        for (int extra = 0; extra < 2; extra++) {
            const float effect = contact_effect(whole + (float)extra, (float)f->richness, s->rules.satiation);
            m->contacted[j][extra] = whole + (float)extra > 0;
            m->effect[j][extra] = s->rules.contact_intensity * effect;
        }
        keep_best(t, j, contacts, (float)f->richness);
        m->option[j + 1] = stream_key(seed, FOR_OPTION, tick, code);
        m->taste[j] = stream_key(seed, FOR_TASTE, born, code);
        m->belief[j] = stream_key(seed, FOR_BELIEF, born, code);
    }
    for (int k = 0; k < TRAITS; k++)
        m->trait[k] = stream_key(seed, FOR_TRAITS + k, born, 0);
    for (int k = 0; k < s->contacts; k++)
        m->hearing[k] = stream_key(seed, FOR_HEARING, tick, (uint64_t)k);
    m->mean = (float)t->market_mean;
    m->involuntary = stream_key(seed, FOR_INVOLUNTARY, tick, 0);
    m->opportunity = stream_key(seed, FOR_OPPORTUNITY, tick, 0);
    m->contact = stream_key(seed, FOR_CONTACT, tick, 0);
    m->attention = stream_key(seed, FOR_ATTENTION, tick, 0);
    m->experience = stream_key(seed, FOR_EXPERIENCE, tick, 0);
    m->telling = stream_key(seed, FOR_TELLING, tick, 0);
    m->audience = stream_key(seed, FOR_AUDIENCE, tick, 0);
}

static void step(struct twin *t)
{
    const struct setup *s = &t->setup;
    t->tick++;
    t->row++;
    memset(&t->sums, 0, sizeof t->sums);
    for (int j = 0; j < FIRMS; j++)
        if (t->firms[j].open)
            decide(t, j);
    for (int j = 0; j < FIRMS; j++) {
        struct firm *f = &t->firms[j];
        const struct listing *l = &s->firms[j];
        fund(t, j);
        if (f->open && s->erosion_on)
            f->quality += l->quality_adjustment
                          * (quality_bought(f->service + f->training, l->quality_scale) - f->quality);
    }
    publish(t);
    choose(t);
    for (int j = 0; j < FIRMS; j++) {
        const float load = (float)((double)t->sums.purchases[j + 1] / s->customers);
        t->market.crowding[j] = s->rules.crowding * positive(load / (float)s->firms[j].capacity - 1.0f);
    }
    serve(t);
    if (s->word_of_mouth_on)
        listen(t);
    int64_t delivered = 0;
    for (int j = 0; j < FIRMS; j++) {
        settle(t, j);
        delivered += t->sums.purchases[j + 1];
    }
    if (delivered) {
        const double mean = (double)t->sums.experience / SCALE / (double)delivered;
        t->market_mean += s->market_memory * (mean - t->market_mean);
    }
    count(t);
    record(t);
    for (int j = 0; j < FIRMS; j++)
        t->firms[j].customers = (double)t->sums.heads[j + 1] / s->customers;
    if (t->tick == 0) /* whom each firm has lost so far */
        for (int i = 0; i < s->customers; i++)
            t->people.lost[i] = (uint8_t)(t->people.known[i] & ~(1 << t->people.provider[i] >> 1));
}

/* ------------------------------------------------------------------ the interface */

/* Hand out a part of the memory, or only add up what is needed where there is none yet. */
static void *part(char *memory, size_t *used, size_t bytes)
{
    void *found = memory ? memory + *used : NULL;
    *used += (bytes + 63) / 64 * 64;
    return found;
}

static size_t lay_out(struct twin *t, char *memory)
{
    struct people *c = &t->people;
    const size_t n = (size_t)t->setup.customers, rows = (size_t)(t->setup.burn_in + t->setup.horizon + 1);
    size_t used = 0;
    int8_t **options[] = {&c->provider, &c->bought, &c->next};
    uint8_t **bytes[] = {&c->known, &c->lost, &c->extra, &c->told};
    float **numbers[] = {&c->opportunity, &c->quality_value, &c->price_weight, &c->switching_cost,
                         &c->transaction_cost, &c->expectation, &c->satisfaction, &c->sunk, &c->told_quality,
                         &c->kept_attachment, &c->kept_core};
    float **by_firm[] = {c->taste, c->belief, c->belief_crowding, c->belief_word, c->attachment, c->reference};
    for (size_t k = 0; k < sizeof options / sizeof *options; k++)
        *options[k] = part(memory, &used, n);
    for (size_t k = 0; k < sizeof bytes / sizeof *bytes; k++)
        *bytes[k] = part(memory, &used, n);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        *numbers[k] = part(memory, &used, n * sizeof(float));
    for (size_t k = 0; k < sizeof by_firm / sizeof *by_firm; k++)
        for (int j = 0; j < FIRMS; j++)
            by_firm[k][j] = part(memory, &used, n * sizeof(float));
    c->tenure = part(memory, &used, n * sizeof(int16_t));
    c->then = part(memory, &used, n * sizeof(struct memory));
    c->network = part(memory, &used, n * (size_t)t->setup.contacts * sizeof(int32_t));
    t->price = part(memory, &used, rows * sizeof *t->price);
    t->cue = part(memory, &used, rows * sizeof *t->cue);
    t->contacts = part(memory, &used, rows * sizeof *t->contacts);
    t->richness = part(memory, &used, rows * sizeof *t->richness);
    t->best_quality = part(memory, &used, rows * sizeof *t->best_quality);
    t->best_work = part(memory, &used, rows * sizeof *t->best_work);
    return used;
}

size_t twin_setup_size(void) { return sizeof(struct setup); }

/* Make the market at the tick before the first; NULL without memory. The setup's arrays stay the caller's. */
struct twin *twin_new(const struct setup *setup)
{
    struct twin *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->setup = *setup;
    t->room = calloc(1, lay_out(t, NULL));
    if (!t->room) {
        free(t);
        return NULL;
    }
    lay_out(t, t->room);
    t->tick = -setup->burn_in;
    double qualities[FIRMS];
    for (int j = 0; j < FIRMS; j++) {
        const struct listing *l = &setup->firms[j];
        struct firm *f = &t->firms[j];
        f->price = l->price;
        f->open = true;
        f->cash = l->cash;
        f->customers = l->initial_share;
        f->expected = l->initial_share * setup->opportunity_mean;
        f->quality = qualities[j] = quality_bought(l->service + l->training, l->quality_scale);
        t->first_belief[j] = (float)f->quality;
    }
    t->market_mean = exact_sum(qualities, FIRMS) / FIRMS;
    for (int satisfied = 0; satisfied < 2; satisfied++) {
        const float mean = satisfied ? setup->rules.told_satisfied : setup->rules.told_dissatisfied;
        float chance = exponential(-mean), at_most = chance;
        for (int told = 0; told < MOST_TOLD; told++) {
            t->audience[satisfied][told] = at_most;
            chance = chance * mean / (float)(told + 1);
            at_most = at_most + chance;
        }
    }
    publish(t);
    deal_out(t);
    get_acquainted(t);
    return t;
}

void twin_step(struct twin *t, int ticks)
{
    for (int k = 0; k < ticks; k++)
        step(t);
}

void twin_free(struct twin *t)
{
    if (t)
        free(t->room);
    free(t);
}
