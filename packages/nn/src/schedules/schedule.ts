/** @file What a schedule is: the learning rate of each step, a pure function of how many steps came before. */

/** The learning rate after `step` steps (0 for the first). */
export type Schedule = (step: number) => number;
