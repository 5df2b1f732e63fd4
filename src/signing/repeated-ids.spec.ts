import { Logger } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { RepeatedIds } from './repeated-ids.js';

describe('RepeatedIds', () => {
  it('warns once, and not of what differs or is no id', () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const ids = new RepeatedIds();
    for (const jti of ['a', 'b', undefined, undefined, 7, 7, 'x'.repeat(300), 'x'.repeat(300)])
      ids.look(jti);
    expect(warn).not.toHaveBeenCalled();
    for (const jti of ['a', 'a', 'b', 'c', 'c']) ids.look(jti);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('same jti'));
    expect(warn.mock.calls[0]?.[0]).not.toContain("'a'");
  });

  it('remembers a bounded number', () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const ids = new RepeatedIds();
    for (let i = 0; i <= 1000; i++) ids.look(`id-${i}`);
    ids.look('id-0');
    expect(warn).not.toHaveBeenCalled();
    ids.look('id-500');
    expect(warn).toHaveBeenCalledOnce();
  });
});
