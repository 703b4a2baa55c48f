/** @file Who speaks: variants of eSpeak NG's voice, each with accents of its own. Test speakers are never heard in training. */

/** One way to speak. */
export interface Voice {
  /** As eSpeak NG takes it: "en-us+f3". */
  readonly name: string;
  /** The variant alone: "f3". */
  readonly speaker: string;
  /** Words a minute. */
  readonly speed: number;
  /** 0 to 99. */
  readonly pitch: number;
}

const accents = [
  "en-us",
  "en-gb",
  "en-gb-scotland",
  "en-gb-x-rp",
  "en-gb-x-gbclan",
  "en-gb-x-gbcwmd",
  "en-029",
  "en-us-nyc",
];

/** Relatives ("steph", "steph2") are on one side. Robots, whispers and effects are on none. */
const speakers = {
  train:
    "Alex Alicia Andrea adam Andy Annie antonio aunty belinda benjamin caleb David Denis Diogo ed edward edward2 Gene Gene2 Gustave Henrique Hugo ian Jacky John Lee linda Marcelo Marco Max Michael michel miguel Mike Nguyen pablo paul pedro quincy Reed rob robert sandro shelby steph steph2 steph3 travis victor zac anika grandma grandpa f1 f3 f4 m1 m3 m4 m5 m7".split(
      " ",
    ),
  test: "boris iven iven2 iven3 kaukovalta Mario mike2 norbert f2 f5 m2 m6 m8 klatt2".split(" "),
} as const;

const [slow, fast] = [120, 210];

/** The voices of one side: each speaker with `styles` of the accents, at speeds and pitches spread evenly. @param most speakers at most. */
export function voices(side: keyof typeof speakers, styles: number, most = Number.POSITIVE_INFINITY): Voice[] {
  const chosen = speakers[side].slice(0, most);
  return chosen.flatMap((speaker, i) =>
    Array.from({ length: styles }, (_, style) => {
      const turn = i * styles + style;
      // golden ratio steps: any number of voices is spread evenly, and speed and pitch are not tied to each other
      const spread = (ratio: number): number => (turn * ratio) % 1;
      return {
        name: `${accents[(i + style * 3) % accents.length]}+${speaker}`,
        speaker,
        speed: Math.round(slow + (fast - slow) * spread(0.618034)),
        pitch: Math.round(30 + 40 * spread(0.754878)),
      };
    }),
  );
}
