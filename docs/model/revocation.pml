/*
 * A user who refreshes at one node while another node revokes all of the user's sessions: does any session survive that
 * is older than the revocation? The steps are those of revocations.service.ts and revocation-replica.ts in
 * src/state/revocations, of ADD and CONSUME in src/state/redis/scripts.ts, and of issueTime().
 *
 * Each clock is that of the store or differs by up to SKEW; each step of a node may be late. Times are ticks.
 *
 *   -DOLD_BEFORE   version 0.1: the revoking node decides by its own clock what it means, and then tells the store
 *   -DOLD_IAT      version 0.1: tokens say the time of the node that issues them, and their iat is compared
 */
#define SKEW 3
#define LEEWAY 1
#define END 10
/* Times are this much larger than they are, so that a clock that is behind is not below 0. */
#define ZERO 10

byte now = ZERO;
/* 0: behind, SKEW: right, 2 * SKEW: ahead. */
byte clockOfIssuer, clockOfRevoker;
#define issuerTime (now + clockOfIssuer - SKEW)
#define revokerTime (now + clockOfRevoker - SKEW)

/* The store: tokens with an earlier time are meant; 0: no revocation. */
byte before;
/* The refresh token that is good for a refresh: when its session began, and its iat. */
byte begin, iat;
/* What the node that refreshes knows of revocations; it looks from time to time. */
byte view;
bool over;

#ifdef OLD_IAT
#define stamp(time) time = issuerTime
#define time(began, issued) (issued)
#else
/* Never ahead of the store. The store's time as the node knows it may be late. */
#define stamp(time) if :: issuerTime < known -> time = issuerTime :: else -> time = known fi
#define time(began, issued) (began < issued -> began : issued)
#endif

active proctype Issuer() {
  byte known, next;
  /* The login. */
  atomic {
    if :: clockOfIssuer = 0 :: clockOfIssuer = SKEW :: clockOfIssuer = 2 * SKEW fi;
    known = now;
    stamp(begin);
    iat = begin
  }
  do
  :: before == 0 || !over ->
    /* A refresh: a look at the store, the tokens are signed, the token is used up. */
    atomic { known = now; if :: before > time(begin, iat) -> over = true; break :: else fi }
    atomic { stamp(next) }
    atomic {
      if
      :: before > time(begin, iat) -> over = true; break
      :: else ->
        /* The session began before: it must not go on. */
        assert(before == 0);
        iat = next
      fi
    }
  :: view != 0 ->
    /* The access token that was issued last is refused by who has seen the revocation. */
    assert(view > time(iat, iat));
    break
  od
}

active proctype Revoker() {
  byte own;
  (iat != 0);
  atomic { if :: clockOfRevoker = 0 :: clockOfRevoker = SKEW :: clockOfRevoker = 2 * SKEW fi }
#ifdef OLD_BEFORE
  own = revokerTime + LEEWAY + 1;
  before = own
#else
  before = now + LEEWAY + 1
#endif
}

active proctype View() {
  do
  :: before != 0 -> view = before; break
  od
}

active proctype Clock() {
  do
  :: atomic { now < ZERO + END -> now++ }
  :: now == ZERO + END -> break
  od
}
