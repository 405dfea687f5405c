/**
 * The numbers in the formulas of channels (language rule 2): how many clocks after what an operation can happen at the earliest.
 * They are here by name so that a test can show that the comparison with the kernel notices any other number
 * (test/sim/fast/mutation.spec.ts); nothing else changes them.
 */
export interface TimeRules {
  /** A token is seen one clock after it was pushed. */
  readonly popAfterPush: number;
  /** A slot is used again one clock after it was freed. */
  readonly pushAfterPop: number;
  /** Operations beyond the lanes of a clock wait for the next. */
  readonly popAfterPop: number;
  readonly pushAfterPush: number;
  /** A row of a grid leaves in clock fed + r + C + this. */
  readonly leave: number;
  /** A token is taken without a look at the rings that comes so much before the last one was popped. */
  readonly chainFlow: number;
  /** 1: rings and counts of tokens that were taken without them are not filled in for who pushes alone. */
  readonly chainAlone: number;
  /** 1: what a taker has learnt of the one who pushes is not asked for again when that one has heard of others. */
  readonly chainDeaf: number;
  /** 1: a word that was read where it stands is not there for who goes on alone. */
  readonly chainWord: number;
  /** Stages that are ready so much later than they have to be are taken to be in step. */
  readonly stepFlow: number;
  /** 1: what stages in step have heard is not learnt. */
  readonly stepDeaf: number;
  /** 1: loops of stages in step are taken to go round once. */
  readonly stepOnce: number;
  /** 1: factors of a product that is made in one are taken to be not negative. */
  readonly stepSign: number;
  /** 1: numbers are taken to be usual, whatever they are. */
  readonly usual: number;
  /** In a leap an operation waits as long as in the round before, and so much longer. */
  readonly leapWait: number;
  /** There a token from outside is taken to have come so many clocks earlier than it did. */
  readonly leapTakes: number;
  /** A leap begins when this many clocks of the state, or fewer, have not moved by the period. */
  readonly leapSlack: number;
  /** A range has so many steps more than its conditions allow, and its times grow by so much more. */
  readonly rangeSteps: number;
  readonly rangeTime: number;
  /** So many beats more are taken to come evenly; tokens flow that come by so much too early. */
  readonly rangeEven: number;
  readonly rangeFlow: number;
  /** 1: tokens that end a relay's loop are not looked for. */
  readonly relayDeaf: number;
  /** What takes a relay's tokens is so many clocks late in a range. */
  readonly relayStay: number;
  /** At a board's pace so many steps more are promised to be taken. */
  readonly flowSteps: number;
  /** A source that flows asks so much later than with the last beat of a burst. */
  readonly flowAsks: number;
  /** There a port is taken to put no question for so many clocks more. */
  readonly silence: number;
  /** So many more rounds are done at once than are told to be alike. */
  readonly jointExtra: number;
  /** Words that are used where they stand are taken so many bytes further. */
  readonly jointWords: number;
  /** Rounds as they were remembered move one clock on by so much more. */
  readonly settleTime: number;
  /** 1: of the state that they began with only the first clocks are looked at. */
  readonly settleDeaf: number;
  /** Of what decides a round's clocks so many more (below zero: fewer) are taken to decide when operations happen. */
  readonly leapEnds: number;
  /** 1: a leap goes on behind a round that took other clocks behind its operations. */
  readonly leapOn: number;
  /** Clocks of channels move on by so much more in a round that is remembered by itself; 1: of its state only the first clocks are looked at. */
  readonly stepTime: number;
  readonly stepBlind: number;
  /** 1: words of ports are taken to be used by the push behind their read alone. */
  readonly viewOnce: number;
  /** 1: what others are told behind a loop that was gone round is not looked at. */
  readonly jointDeaf: number;
  /** 1: what the first process has heard while it was away from its loop is not told. */
  readonly awayDeaf: number;
  /** So many banks more than are used count in products of words where they stand. */
  readonly jointLeft: number;
  /** 1: who writes does not look whether all banks' words were read at once. */
  readonly rowDeaf: number;
  /** 1: words that were written since are read without a look. */
  readonly jointStale: number;
  /** 1: words are added together that do not come one after the other; 1: after they have changed. */
  readonly openBlind: number;
  readonly openStale: number;
  /** Rows that leave a grid together do so up to so many clocks behind the horizon. */
  readonly leaveFar: number;
  /** 1: bytes of a word that are not fed are taken to be zeros. */
  readonly wordRest: number;
  /** 1: words that stand extended are taken as they are, though they were written since. */
  readonly extendedStale: number;
  /** 1: elements are gathered in the order of the loops, whatever they are given to. */
  readonly gathered: number;
  /** Elements that move up in a vector come from so many further on. */
  readonly movedUp: number;
  /** 1: a loop is taken to be over a pass earlier, so what only its next pass reads is left out there too. */
  readonly lastMove: number;
  /** What changes in a vector is stored so many elements further on. */
  readonly changedElement: number;
  /** Of banks that are read each where it likes, so many of the first are left out. */
  readonly readLane: number;
  /** A leap goes on behind its way back to its loop if that took so many clocks or fewer. */
  readonly awaySlack: number;
  /** 1: whoever takes the tokens of an outer input and waits for the next is taken to be back at its loop. */
  readonly awayHead: number;
  /** 1: rounds of an earlier run are repeated however this one begins. */
  readonly replayBlind: number;
  /** An operation of a round that is repeated waits so much longer. */
  readonly replayWait: number;
  /** 1: behind a range it is not asked whether its loop is over. */
  readonly rangeOver: number;
  /** A range goes the way round the outer loop so much more often. */
  readonly rangeAround: number;
  /** 1: of a word that is not whole yet the tokens that are there are left out. */
  readonly rangePart: number;
}

const exact: TimeRules = {
  popAfterPush: 1,
  pushAfterPop: 1,
  popAfterPop: 1,
  pushAfterPush: 1,
  leave: 0,
  chainFlow: 0,
  chainAlone: 0,
  chainDeaf: 0,
  chainWord: 0,
  stepFlow: 0,
  stepDeaf: 0,
  stepOnce: 0,
  stepSign: 0,
  usual: 0,
  leapWait: 0,
  leapTakes: 0,
  leapSlack: 0,
  rangeSteps: 0,
  rangeTime: 0,
  rangeEven: 0,
  rangeFlow: 0,
  relayDeaf: 0,
  relayStay: 0,
  flowSteps: 0,
  flowAsks: 0,
  silence: 0,
  jointExtra: 0,
  jointWords: 0,
  settleTime: 0,
  settleDeaf: 0,
  leapEnds: 0,
  leapOn: 0,
  stepTime: 0,
  stepBlind: 0,
  viewOnce: 0,
  jointDeaf: 0,
  awayDeaf: 0,
  jointLeft: 0,
  rowDeaf: 0,
  jointStale: 0,
  openBlind: 0,
  openStale: 0,
  leaveFar: 0,
  wordRest: 0,
  extendedStale: 0,
  gathered: 0,
  movedUp: 0,
  lastMove: 0,
  changedElement: 0,
  readLane: 0,
  awaySlack: 0,
  awayHead: 0,
  replayBlind: 0,
  replayWait: 0,
  rangeOver: 0,
  rangeAround: 0,
  rangePart: 0,
};

type Where = "ring" | "round" | "chain";

/** In rings (channel-code.ts), in rounds (round-channel.ts) and in chains (chain-code.ts). */
export let rules: Readonly<Record<Where, TimeRules>> = { ring: exact, round: exact, chain: exact };

/** For tests only: designs that `compile` compiles have other rules. */
export function withMutation<T>(where: Where, change: Partial<TimeRules>, compile: () => T): T {
  const before = rules;
  rules = { ...before, [where]: { ...before[where], ...change } };
  try {
    return compile();
  } finally {
    rules = before;
  }
}
