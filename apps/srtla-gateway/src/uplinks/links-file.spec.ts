import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseLinksFile } from './links-file.ts';
import { LINK_DEFAULTS, linkKey, linkName, linkViolations } from './settings.ts';

describe('a file of links', () => {
  test("BELABOX's form: one address a line", () => {
    const { links, problems } = parseLinksFile('192.0.2.1\n192.0.2.2\r\n\n  2001:DB8:0::1  \n');
    expect(problems).toEqual([]);
    expect(links.map(({ address }) => address)).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
    expect(links[0]).toEqual({ ...LINK_DEFAULTS, address: '192.0.2.1' });
  });

  test('words, comments, a byte order mark', () => {
    const text =
      '\ufeff# modems\n192.0.2.1 name=lte1 priority=0.5 cost=7 cap=1.5GB max=800k # the old one\ndevice=wwan1 enabled=no';
    expect(parseLinksFile(text)).toEqual({
      problems: [],
      links: [
        {
          ...LINK_DEFAULTS,
          address: '192.0.2.1',
          name: 'lte1',
          priority: 0.5,
          cost: 7,
          capBytes: 1.5e9,
          maxBitrateBps: 800e3,
        },
        { ...LINK_DEFAULTS, device: 'wwan1', enabled: false },
      ],
    });
  });

  test.each([
    ['192.0.2.300', '"192.0.2.300" is neither an IP address nor key=value'],
    ['cost=1', 'tells neither an address nor a device'],
    ['0.0.0.0', '"0.0.0.0": address must be an IP address of this machine'],
    ['fe80::1%eth0', '"fe80::1%eth0": address must be an IP address of this machine'],
    ['device=\u001b[2J', '"device=\\u001b[2J": device must be the name of a network interface'],
    ['device=wwän', '"device=wwän": device must be the name of a network interface'],
    ['device=a/b', '"device=a/b": device must be the name of a network interface'],
    ['192.0.2.1', 'is the link of line 1'],
  ])('a line that tells of no link is left out: %s', (line, message) => {
    const { links, problems } = parseLinksFile(`192.0.2.1\n\n${line}\n`);
    expect(links).toHaveLength(1);
    expect(problems).toEqual([{ line: 3, message }]);
  });

  test.each([
    ['priority=11', '"priority=11": priority must be 0.1 to 10'],
    ['priority=much', '"priority=much": priority must be 0.1 to 10'],
    ['cost=-1', '"cost=-1": cost must be 0 to 1000'],
    ['cap=5PB', '"cap=5PB": cap_bytes must be 0 or more'],
    ['max=', '"max=": max_bitrate_bps must be 0 or more'],
    ['enabled=perhaps', '"enabled=perhaps": must be yes or no'],
    ['name=', 'name= needs a name'],
    ['colour=red', '"colour=red" is not known: device, name, priority, cost, max, cap, enabled'],
    ['quickly', '"quickly" is neither an IP address nor key=value'],
  ])('a wrong word takes no link away: %s', (word, message) => {
    const { links, problems } = parseLinksFile(`192.0.2.1 ${word} cost=3`);
    expect(links).toEqual([{ ...LINK_DEFAULTS, address: '192.0.2.1', cost: 3 }]);
    expect(problems).toEqual([{ line: 1, message }]);
  });

  test('one address may leave by two devices; a name is one link’s', () => {
    const { links, problems } = parseLinksFile('192.0.2.1 device=a name=x\n192.0.2.1 device=b name=x\n');
    expect(links.map(linkName)).toEqual(['x', '192.0.2.1%b']);
    expect(problems).toEqual([{ line: 2, message: 'name "x" is that of line 1' }]);
  });

  test('the seventeenth link is one too many', () => {
    const lines = Array.from({ length: 17 }, (_, i) => `192.0.2.${i + 1}`);
    const { links, problems } = parseLinksFile(lines.join('\n'));
    expect(links).toHaveLength(16);
    expect(problems).toEqual([{ line: 17, message: 'is one more than 16 links' }]);
  });

  test('whatever the text, what comes out is right, and each line says at most a little', () => {
    const word = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string(),
      fc
        .tuple(fc.constantFrom('device', 'name', 'priority', 'cost', 'max', 'cap', 'enabled', 'x'), fc.string())
        .map((pair) => pair.join('=')),
    );
    const text = fc.array(fc.array(word).map((words) => words.join(' '))).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (content) => {
        const { links, problems } = parseLinksFile(content);
        expect(links.flatMap((link) => linkViolations(link, ''))).toEqual([]);
        expect(new Set(links.map(linkKey)).size).toBe(links.length);
        expect(new Set(links.map(linkName)).size).toBe(links.length);
        const lines = content.split(/\r\n|\n|\r/).length;
        for (const { line, message } of problems) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(lines);
          expect(message.length).toBeLessThan(200);
        }
      }),
    );
  });
});
