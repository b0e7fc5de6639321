/** "1 session", "2 sessions". */
export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
