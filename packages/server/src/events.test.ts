import { expect, it, vi } from 'vitest';
import { Events } from './events.ts';

type Map = { 'a.happened': [number]; 'b.happened': [] };

it('tells all listeners of a name, in order', () => {
  const events = new Events<Map>(() => {});
  const heard: string[] = [];
  events.on('a.happened', (value) => void heard.push(`first ${value}`));
  events.on('a.happened', (value) => void heard.push(`second ${value}`));
  events.emit('a.happened', 1);
  events.emit('b.happened');
  expect(heard).toEqual(['first 1', 'second 1']);
});

it('reports what listeners throw, at once or later, and goes on', async () => {
  const reported: unknown[] = [];
  const events = new Events<Map>((error) => reported.push(error));
  const heard: string[] = [];
  events.on('b.happened', () => {
    throw new Error('at once');
  });
  events.on('b.happened', () => Promise.reject(new Error('later')));
  events.on('b.happened', () => void heard.push('heard'));
  events.emit('b.happened');
  expect(heard).toEqual(['heard']);
  await vi.waitFor(() => expect(reported.map(String)).toEqual(['Error: at once', 'Error: later']));
});
