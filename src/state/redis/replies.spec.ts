import { describe, expect, it } from 'vitest';
import { conditionOf, movedTo } from './replies.js';

describe('what an error reply says about the server', () => {
  it.each([
    ["READONLY You can't write against a read only replica.", 'replica'],
    ['UNBLOCKED force unblock from blocking operation, instance state changed', 'replica'],
    ['MOVED 3999 127.0.0.1:6381', 'elsewhere'],
    ['CLUSTERDOWN Hash slot not served', 'elsewhere'],
    ['LOADING Redis is loading the dataset in memory', 'elsewhere'],
    [
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      'elsewhere',
    ],
    ['NOAUTH Authentication required.', 'elsewhere'],
    [
      "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:5.",
      'full',
    ],
    ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to.', 'full'],
    ['NOREPLICAS Not enough good replicas to write.', 'full'],
    // As Redis 6.2 tells of an error inside of a script.
    [
      "ERR Error running script (call to f_1f): @user_script:9: @user_script: 9: -READONLY You can't write against a read only replica. ",
      'replica',
    ],
    [
      "ERR Error running script (call to f_1f): @user_script:9: @user_script: 9: -OOM command not allowed when used memory > 'maxmemory'. ",
      'full',
    ],
    ['TRYAGAIN Multiple keys request during rehashing of slot', undefined],
    ['ASK 3999 127.0.0.1:6381', undefined],
    ['BUSY Redis is busy running a script.', undefined],
    ["NOPERM this user has no permissions to run the 'eval' command", undefined],
    ['ERR unknown command READONLY', undefined],
    ['no answer within 1000 ms', undefined],
    ['', undefined],
  ])('%s', (reply, condition) => {
    expect(conditionOf(reply)).toBe(condition);
  });

  it.each([
    ['MOVED 866 127.0.0.1:6381', { host: '127.0.0.1', port: 6381 }],
    ['MOVED 866 ::1:6381', { host: '::1', port: 6381 }],
    ['MOVED 866 node-1.example:6381', { host: 'node-1.example', port: 6381 }],
    ['MOVED 866 :6381', { host: '', port: 6381 }],
    ['ASK 866 127.0.0.1:6381', undefined],
  ])('%s names a node', (reply, node) => {
    expect(movedTo(reply)).toEqual(node);
  });
});
