/*
 * One refresh token, two nodes and a store: is a client that repeats as it is told ever refused, and does the token
 * ever have two successors? The steps are those of src/token/refresh/refresh-grant.service.ts and of CONSUME and
 * SETTLE in src/state/redis/scripts.ts.
 *
 * Time goes in ticks of a second. Messages to the store and its answers may be lost or late.
 *
 *   -DWINDOW=n     ticks in which a use may be repeated
 *   -DCRASH        nodes may crash; the client, whose connection is lost, repeats at once
 *   -DTHIEF        somebody else has the token, too
 *   -DOLD          version 0.1: no nonce, nothing repeated by the node, messages carried out however late
 *   -DBLIND        nobody sees to it whether a successor was used
 *   -DLEASE=n      ticks for which a use is judged by the window alone, beside the one in which it is made; 1 is too long
 */
#ifndef WINDOW
#define WINDOW 0
#endif
#ifndef LEASE
#define LEASE 0
#endif
#define TIMEOUT 1      /* a node waits so long for an answer of the store */
#define RETRY_AFTER 1  /* and the client so long after a 503 */
#ifdef THIEF
#define END 5          /* of time */
#else
#define END 8
#endif
#define NEVER 255
#define NODES 2
#ifndef TRIES
#define TRIES 3       /* of the client; all but the last may end with a 503 */
#endif
#if defined(OLD) || defined(THIEF)
#define ATTEMPTS 1
#else
#define ATTEMPTS 2
#endif

mtype = { FRESH, REPLAY, REUSED, FAILED };

byte now;

/* The store: what it keeps of the token. */
bool used, settled;
byte nonce, since;
/* Ghosts: whose successors left the store, and whether the client used its ones. */
byte winner;
bool successorUsed;

/* To the store: node, attempt, nonce, time after which nobody waits. */
chan net = [2] of { byte, byte, byte, byte };
/* From it, by node: attempt, outcome. */
chan answer[NODES] = [2] of { byte, mtype };
/* Requests by node: who asks; answers by who asked. */
chan request[NODES] = [1] of { byte };
chan response[2] = [1] of { mtype };
/* Until when something has to happen: time waits for it. NEVER: nothing has to. */
byte dueNode[NODES] = NEVER, dueClient = NEVER;
byte nonces;

#ifdef BLIND
#define KNOWN_USE false
#else
#define KNOWN_USE successorUsed
#endif
#define live (now < since + WINDOW)
#ifdef OLD
#define repeatable live
#else
#define repeatable (live || (!settled && now > since + LEASE))
#endif

/* What is told about a token that another request has used. */
inline judge(outcome) {
  if
  :: KNOWN_USE -> outcome = REUSED
  :: !KNOWN_USE && repeatable -> outcome = REPLAY
  :: !KNOWN_USE && !repeatable -> outcome = REUSED
  fi
}

active proctype Store() {
  byte node, attempt, name, deadline;
  mtype outcome;
end:
  do
  :: d_step { net?node, attempt, name, deadline ->
#ifdef OLD
      if
      :: true
#else
      if
      :: now > deadline -> outcome = FAILED
      :: now <= deadline
#endif
      -> if
        :: !used -> used = true; nonce = name; since = now; settled = false; outcome = FRESH
#ifndef OLD
        :: used && nonce == name -> outcome = FRESH
        :: used && nonce != name -> judge(outcome)
#else
        :: used -> judge(outcome)
#endif
        fi
      fi;
      if
      :: outcome == FRESH -> assert(winner == 0 || winner == name); winner = name
      :: else
      fi }
      if
      :: atomic { nfull(answer[node]) -> answer[node]!attempt, outcome }
      :: skip /* the answer is lost */
      fi
  :: net?node, attempt, name, deadline /* the message is lost */
  od
}

active [NODES] proctype Node() {
  byte self = _pid - 1;
  byte from, attempt, got, name;
  mtype outcome, said;
end:
  do
  :: request[self]?from ->
    outcome = FAILED;
    /* The look before the backend is asked; the store may not answer. */
    if
    :: atomic { used -> judge(outcome) }
    :: atomic { !used -> nonces++; name = nonces; attempt = 0 };
      do
      :: attempt < ATTEMPTS && outcome == FAILED ->
        atomic { attempt++; dueNode[self] = now + TIMEOUT;
          if :: nfull(net) -> net!self, 2 * name + attempt, name, now + TIMEOUT :: full(net) fi }
        do
        :: atomic { answer[self]?got, said ->
            if
            /* An answer belongs to one question. */
            :: got == 2 * name + attempt -> outcome = said; dueNode[self] = NEVER; break
            :: else
            fi }
        :: atomic { now >= dueNode[self] -> dueNode[self] = NEVER; break }
        od
      :: else -> break
      od
    :: skip
    fi;
    atomic {
      /* An answer to a request that is over says nothing. */
      do :: answer[self]?got, said :: empty(answer[self]) -> break od;
#ifdef CRASH
      if
      :: outcome = FAILED
      :: skip
      fi;
#endif
      if
      :: outcome == FRESH -> settled = (nonce == name)
      :: else
      fi;
      response[from]!outcome;
      outcome = FAILED
    }
  od
}

/* The owner of the token. */
active proctype Client() {
  mtype outcome;
  byte node, tries;
  do
  :: now + 2 * TIMEOUT < END && tries < TRIES ->
    atomic { tries++; select(node : 0 .. NODES - 1); request[node]!0 }
    response[0]?outcome;
    if
    :: outcome == FRESH || outcome == REPLAY ->
      if
      :: atomic { !successorUsed -> successorUsed = true }
      :: skip
      fi;
      break
    :: outcome == REUSED ->
#ifndef THIEF
      assert(false); /* It did as it was told, and lost its session. */
#endif
      break
    :: outcome == FAILED ->
#ifdef CRASH
      dueClient = now;
#else
      dueClient = now + RETRY_AFTER;
#endif
      atomic { now >= dueClient -> dueClient = NEVER }
    fi
  :: now + 2 * TIMEOUT >= END || tries == TRIES -> break
  od
}

#ifdef THIEF
active proctype Thief() {
  mtype outcome;
  byte node;
  bool before;
  atomic { select(node : 0 .. NODES - 1); before = successorUsed; request[node]!1 }
  response[1]?outcome;
  /* Once the owner has used what it got, the old token is worth nothing. */
  assert(!(before && (outcome == FRESH || outcome == REPLAY)))
}
#endif

active proctype Clock() {
  do
  :: atomic { now < END && now < dueNode[0] && now < dueNode[1] && now < dueClient -> now++ }
  :: now == END -> break
  od
}
