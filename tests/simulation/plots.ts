import { leftovers } from './leftovers.ts';
import type { Plot, Stage } from './stage.ts';

/** Each plot brings about, again and again, the moments that one rule of the server is for. */
type Round = (stage: Stage) => Promise<void>;

/** Milliseconds after which nodes that have started together know that the store has lost nothing lately. */
const SETTLED = 16_000;

const times =
  (count: number, round: Round): Plot =>
  async (stage) => {
    await stage.allServe();
    await stage.pass(SETTLED);
    for (let left = count; left > 0 && stage.world.ledger.violations.length === 0; left--) {
      await stage.allServe();
      await round(stage);
    }
  };

/** Romeo's client resumes elsewhere since its node stands still, the store forgets that, and somebody writes to him. */
export const forgottenMove = times(2, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  await stage.arrive(juliet, 0);
  stage.node(0).pause(true);
  stage.drop(romeo);
  world.connect(romeo, stage.node(1));
  await stage.until(() => romeo.state === 'online', 1500);
  world.failOver();
  juliet.say(romeo.jid);
  juliet.request();
  await stage.some(10); // they notice
  for (const link of stage.node(0).links.all) if (link.connectable) link.connect();
  await stage.some(60);
  stage.reconnect();
  await stage.acknowledged(juliet);
});

/** What Romeo got out of the storage the store has again after a failover, and he comes back. */
export const forgottenHandover = times(2, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(juliet, 0);
  for (let count = 3; count > 0; count--) juliet.say(romeo.account);
  await stage.acknowledged(juliet);
  await stage.arrive(romeo, 1);
  await stage.pass(500);
  await stage.acknowledged(romeo);
  romeo.close();
  await stage.until(() => romeo.state === 'offline');
  await stage.pass(200);
  world.failOver();
  await stage.rest(3000);
  await stage.arrive(romeo, 2);
  await stage.pass(3000);
});

/** A node dies right after somebody has come to it for whom something is stored. */
export const diesBeforeItLooks = times(3, async (stage) => {
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  if (romeo.session !== undefined) {
    await stage.arrive(romeo, 1);
    romeo.close();
    await stage.until(() => romeo.state === 'offline');
    await stage.pass(500);
  }
  await stage.arrive(juliet, 0);
  juliet.say(romeo.account);
  await stage.acknowledged(juliet);
  stage.world.connect(romeo, stage.node(1));
  await stage.until(() => romeo.state === 'online');
  const link = stage.linkTo(1, romeo);
  await stage.until(() => link.asks(/^update-session/), 1000);
  await stage.some(12);
  await stage.kill(1);
  await stage.pass(6000);
  await stage.arrive(romeo, 2);
  await stage.pass(2000);
});

/** A client logs in on a node that stood still and does not know yet that it was given up. */
export const givenUp = times(1, async (stage) => {
  const { world } = stage;
  const [romeo, other, juliet] = [stage.device(0), stage.device(1), stage.device(2)];
  world.away.add(romeo);
  await stage.arrive(juliet, 0);
  const node = stage.node(1);
  world.connect(romeo, node);
  await stage.some(20);
  node.pause(true);
  await stage.pass(14_000);
  node.pause(false);
  await stage.some(60);
  await stage.until(() => romeo.connection === undefined, 12_000);
  romeo.leave();
  juliet.say(romeo.account);
  await stage.acknowledged(juliet);
  await stage.arrive(other, 2);
});

/** The resource is bound on a second node, which dies before it could say so. */
export const silentSuccessor = times(1, async (stage) => {
  const { world } = stage;
  const [romeo, again] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  world.away.add(romeo);
  const { links } = stage.node(0);
  stage.node(0).pause(true);
  world.connect(again, stage.node(1));
  await stage.until(() => again.state === 'enabling');
  const link = stage.linkTo(1, romeo);
  await stage.until(() => link.asks(/^open-session/));
  await stage.until(() => !link.asks(/^open-session/));
  await stage.kill(1);
  await stage.some(20);
  for (const each of links.all) each.lose(world.random);
  stage.node(0).pause(false);
  await stage.rest(20_000);
  if (romeo.state === 'online') world.ledger.violate(`TWO sessions have ${romeo.jid}`);
  romeo.leave();
});

/** Both clients of Romeo end their sessions while a message for both of them is under way. */
export const bothLeave = times(2, async (stage) => {
  const [romeo, other, juliet] = [stage.device(0), stage.device(1), stage.device(2)];
  await stage.arrive(romeo, 0);
  await stage.arrive(other, 1);
  await stage.arrive(juliet, 2);
  await stage.pass(11_000); // both have been there for long
  const { links } = stage.node(1);
  for (const link of links.all) link.slow = true;
  other.close();
  await stage.said(other);
  stage.drop(other);
  juliet.say(romeo.account);
  juliet.request();
  const link = stage.linkTo(0, romeo);
  await stage.until(() => link.asks(/^rpushx/), 1000);
  romeo.close();
  await stage.said(romeo);
  stage.drop(romeo);
  await stage.until(() => link.asks(/^hgetall session/), 1000);
  await stage.until(() => !link.asks(/^hgetall session/), 1000);
  for (const each of links.all) each.slow = false;
  await stage.acknowledged(juliet);
  await stage.pass(1000);
});

/** Romeo's client binds its resource anew elsewhere while its session takes a message, and the node of that dies. */
export const replacedWhileItTakes = times(2, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  await stage.arrive(juliet, 2);
  const link = stage.linkTo(0, romeo);
  link.slow = true;
  juliet.say(romeo.account);
  juliet.request();
  await stage.until(() => link.asks(/^rpushx/), 1000);
  link.lose(world.random);
  romeo.forget();
  stage.drop(romeo);
  world.connect(romeo, stage.node(1));
  const other = stage.linkTo(1, romeo);
  await stage.until(() => other.asks(/^register-session/), 1000);
  await stage.until(() => !other.asks(/^register-session/), 1000);
  await stage.until(() => link.asks(/^end-session/), 1000);
  await stage.some(12);
  await stage.kill(0);
  await stage.pass(2000);
  await stage.acknowledged(juliet);
});

/** A session is claimed while its owner, which does not answer in time, goes on and takes a message. */
export const claimedMeanwhile = times(2, async (stage) => {
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  await stage.arrive(juliet, 2);
  const link = stage.linkTo(0, romeo);
  link.slow = true;
  juliet.say(romeo.jid);
  juliet.request();
  await stage.until(() => link.asks(/^rpushx/));
  stage.node(0).pause(true);
  stage.drop(romeo);
  stage.world.connect(romeo, stage.node(1));
  const other = stage.linkTo(1, romeo);
  await stage.until(() => other.asks(/^take-over/));
  if (stage.world.random.chance(0.5)) await stage.until(() => !other.asks(/^take-over/));
  link.slow = false;
  await stage.some(6);
  stage.node(0).pause(false);
  await stage.acknowledged(juliet);
  await stage.arrive(romeo, 1);
});

/** What a dead node had is taken over, ends, and is there again after a failover. */
export const reapedInVain = times(1, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  await stage.arrive(juliet, 1);
  await stage.kill(0);
  await stage.rest(4000);
  await stage.arrive(romeo, 2);
  romeo.close();
  await stage.until(() => romeo.state === 'offline');
  await stage.some(30);
  world.failOver();
  await stage.rest(20_000);
  for (const left of leftovers(world)) world.ledger.violate(`LEFT ${left}`);
});

/** A session ends with something that it has not acknowledged, and the store has lost some of that. */
export const endsInAFailover = times(3, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  await stage.arrive(juliet, 1);
  for (let count = 3; count > 0; count--) juliet.say(romeo.account);
  juliet.request();
  await stage.some(60);
  romeo.close();
  await stage.some(6);
  stage.drop(romeo);
  await stage.some(30);
  world.failOver();
  await stage.some(40);
  stage.reconnect();
  await stage.acknowledged(juliet);
  await stage.pass(16_000);
});

/** A node ends in order while the store fails over. */
export const leavesInAFailover = times(2, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(juliet, 0);
  for (let count = 3; count > 0; count--) juliet.say(romeo.account);
  await stage.acknowledged(juliet);
  const { links } = stage.node(0);
  stage.node(0).stop();
  await stage.until(() => links.all.some((link) => link.asks(/^(answered|leave)/)));
  await stage.some(3);
  world.failOver();
  await stage.rest(16_000);
  await stage.allServe();
  await stage.arrive(romeo, 1);
  romeo.close();
  await stage.rest(1000);
});

/** A node dies while the journal of a session lacks what has come for it. */
export const diesBeforeItCommits = times(2, async (stage) => {
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(romeo, 0);
  await stage.arrive(juliet, 2);
  const link = stage.linkTo(0, romeo);
  link.slow = true;
  juliet.say(romeo.jid);
  juliet.request();
  await stage.until(() => link.asks(/^rpushx/), 1000);
  romeo.setAvailable(true); // which is told to it at once, and whatever is ready before
  await stage.some(30);
  await stage.kill(0);
  await stage.rest(1000);
  await stage.arrive(romeo, 1);
  await stage.acknowledged(juliet);
});

/** What is stored for Romeo is said again elsewhere, since its sender's node has died before it could say so. */
export const storedAndSaidAgain = times(2, async (stage) => {
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  await stage.arrive(juliet, 0);
  juliet.say(romeo.account);
  juliet.request();
  const link = stage.linkTo(0, romeo);
  await stage.until(() => link.asks(/^offline-store/), 1000);
  await stage.until(() => !link.asks(/^offline-store/), 1000);
  await stage.some(1);
  await stage.kill(0);
  await stage.arrive(juliet, 1);
  await stage.arrive(romeo, 2);
  await stage.rest(1000);
  await stage.acknowledged(romeo);
  romeo.close();
  await stage.rest(1000);
});

/** A failover has forgotten that a session was begun, and its client resumes it elsewhere. */
export const forgottenBeginning = times(1, async (stage) => {
  const { world } = stage;
  const romeo = stage.device(0);
  world.connect(romeo, stage.node(0));
  await stage.until(() => romeo.state === 'online');
  world.failOver();
  stage.drop(romeo);
  for (const link of stage.node(1).links.all) if (link.hasLoss) link.notice();
  for (const link of stage.node(1).links.all) if (link.connectable) link.connect();
  world.connect(romeo, stage.node(1));
  await stage.some(80);
  await stage.rest(1000);
});

/** Two nodes have stored what Juliet said to Romeo, and a failover takes it. */
export const storedByTwo = times(2, async (stage) => {
  const { world } = stage;
  const [romeo, juliet] = [stage.device(0), stage.device(1)];
  for (const place of [0, 1]) {
    await stage.arrive(juliet, place);
    juliet.say(romeo.account);
    await stage.acknowledged(juliet);
    stage.drop(juliet);
  }
  world.failOver();
  await stage.rest(3000);
  await stage.arrive(romeo, 2);
  await stage.acknowledged(romeo);
  romeo.close();
  await stage.rest(1000);
});
