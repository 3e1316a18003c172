package lzfse

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
)

func text(n int) []byte {
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, "line %07d of the content, %02x and so on\n", len(b), uint32(len(b))*2654435761>>13&0xFF)
	}
	return b[:n]
}

// skewed is noise in which some bytes are more frequent than others.
func skewed(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24 & (x >> 16) & 0x3F)
	}
	return b
}

// vectors are what Apple's own program (lzfse -encode) makes of some content: blocks of all kinds.
var vectors = []struct {
	plain  []byte
	packed string
}{
	{text(300), "" +
		"YnZ4biwBAABkAAAA5mxpbmUgMBgB4AAgb2YgdGhlIGNvbnRlbnQsABjrIGFuZCBzbyBvbgo4Kp40MvueY2b/njg0+245/c4xMjb9bjb+njY4+5" +
		"4zZf6Y0jIx/Tgq/GjSNfpoKmT54TAGAAAAAAAAAGJ2eCQ="},
	{text(20_000), "" +
		"YnZ4MiBOAAC4AyAeALkDYPLHb3/zHwZAnQAAAD4EIAC3f8BeIAAAIAIgIABfAhABAIBnAgDgCAAAgPcCADgHBAAAAAoAgAAAAAAAXAAAAAKfwv" +
		"fxMLwM/8LT8DG8C0/D6wAAAAAAAAAAAAC8AT/AG/AKfAKPAAqyBmABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACSRiMx0" +
		"P2/4+Lz7kPBGUr25WPZcIMlH7KCLtamMT7+A91hll06xlcriWA2pnHt0kkUDXGWA9k9Wo7nds/kLbwa/HEmgovhxqj7tl7fjeaOcYPqZD758k3" +
		"ag5ger4qWB+hpEJPLI9Simv2wLrME8hsXSQG+m8nohKBbstrl+jlYSd4woBnNzVgzmJOG9s1jRsK50UQ1m1nXMgROyS31/DrBmN0bxk/pDEN4P" +
		"flhadbT/SuT1EcD+YV/ngY7CluR78X/I28U9J4Wit94zdbcIpkyBDHyXYi8d5mkCPak6GSDdEGHa7iulm3t7KW+ADext7jCdGg614KWs1jmz/g" +
		"ke6csZtLOCzsqfaqdh9IAo21vAd/u6hPo9jFbnr7avzg7dsFGqJ9Fcw4ihZAqlNu2qcPJ2CoGOnPaT6UPn3HdSa3d3b1S1gr1OXZkanzEapy7w" +
		"eeEAo/uaZKVC2Vs6KFASPcb0nlbbUt7EbvyeoUwqkgyRuBy2NSOBUana82R9SKf0NATzy0m0ZsNnUo7r2hujIvdQCE2Xg/wKGbPriEN/ipt6zR" +
		"zMNH648CeKdfJ5NBwReZ1Wc2cm22ekhVUH8CivwNMj1mMG6scbPq9s3RY4YmaDv73jr/vDVRp8f+6tcEIBAAAAAAAAAAAAALaK4HjccNzYqhVH" +
		"E1ux4HC8cRjW4jizNRqOJ7ZeweG44bCyVSuOJrYihcPxwmFZx3G64bhiKzMcrRmO2xaOK7YGxfF64zCs4zjdcNxiKzMcrRmOa7Yqw9Ga4bhmqz" +
		"IcrXUch3UcZ2wNhuN1w2Ft4bjc4bhjKzMcrTWOwzqOM7YGw/G64bBt4bjccNyxlRmO1hrHYR3HNbYGw/G64bCs4TjeOG7YyhRHm4jgcTgeZjiO" +
		"Lxw3bA2K43XDYW3DccXWoDhebxyGdRzHG8cNW5niaJvhuLZwXLE1KI7XG4dhHcfVDccVW5nhaM1wXFs4rtgaFMfrHYdhHcfphuOKrcxwtGY4rm" +
		"04Ljccd2xlhqO1xnFYx3HG1mA43m44rC0clxuOO7Yyw9Fa47hYx3HG1mA4Xjcc1haOyw3HHVuZw9Fa4zis4zhjazAcrxsOyzocZ2wNhuONrcdw" +
		"OF44LOs4jjeOO2xliqM1w3Ft4bhia1AcrzcOi3UcxxvHDVuZ4mjNcFxbOK7YGiyO1xuHYR3H6Ybjiq3McLTmcFxbOK7YGhTHmxMO0xqOwx3HLb" +
		"Yyw9Ga4bi2cFxuOO7YygxH2xrHYR3HGVuD4XjdcFhbOC53OO7YygxHa43jsI7jjK3BcLzucFhbOC43HHdsZYajtcZxWMdxja3BcLxuOCxrOI43" +
		"jhu2MsXRtsZxWMdxvHHcsJUpjtYMx7UNxxVbg+J4vXEY1nEcbxw3bGUWR2uG49rCccXWoDhebxyGdRxXNxxXbGWGozXDcc1WZTja2IoMh8sLh2" +
		"Udx+mG44qtzHC0ZjiubTguNxx3bGWGo7XGcVjHccbW4HC8bjisLRyXG447tjLD0VrjuFjHccbWYDheNxzWFo7LDcc9tjLD0cZWZDgcbjiM2KoM" +
		"R2uG47IOx/HGccNWpjhaaxyHdRzHO44btjLF0ZrhuLZwXLE1KI7XG4fFOo7jjeOGrUxxtGY4ri0ct9gaFMfrjcOwjuN0w3HFVmY4WnM4ri0cV2" +
		"wNiuP1xmFYx3G6w3HFVmY4WjMc1xaOyw3HHVuZ4Whb4zis4zhjazAcrxsOawvHzQ3HHVuZ4WitcRzWcZyxNRiO1x0Oa7Yqw9Ga4biyVSuOJrZi" +
		"weG4w2Flq1YcjRmOyxqOM1uj4Xhi6xUcrth6BYfjhsPawnF5jeM2jsOywmG4Goe1xmE6x2Gtcdiui8M2x2Fc4TCsxmHjCIdlDofhHIcVHMZhGs" +
		"NhrHActsZhW+MwneOwzXBYFWYcpzUclheOwxoO2yoc1jUO0xyHXWGO47SGw3jhOKzhsK3CYV3HYZrjsCvMOE5rOIwXjsMaDrtVOKxrHKY5DrvC" +
		"jOO0hsPijuPawmFbi8O6xmGa47Cu47CtxWE7x2GscBiuxmGt4zCd47DWOGzX4rDNcRgc4bBbgcO4wmGb47Cd4bCCwzisxnAYKxyHrXFYaxymcx" +
		"y2ORxWhRnHaQ2H8cJxWMNhWwuHdY3DNMdhV5hxnNZwGC8cF2s4bKtw2DjCYZnhMChMOO7WcBgvHIc1HLZVOKxrHKZ5HHaFGcdpDYfhjuPawmFb" +
		"F4d1jcM0x2Fd47CtxWE7x2FZ4TBcjcNa4zCd47Ab47C6AodhhsO6wmFYjcO6xmGax2E7w2EFh3GYxnAYKxyHbeOw1jhM5zhsMxxWhRnHaQ2H5Y" +
		"XjsIbDtgqHdY3DNMdhrzDjOK3hMDjhuK3hMKzDYV3HYZrjsCvMOE5rOIwXjsM6HLZVOKxrHKY5DrvCjOO0hsPijuPawmFbi8O6xmGa47Bd47Ct" +
		"xWE7x2GscBiuxmFjDIflDIexwmG4GodtjsO4hsOwGod1jcM0x2E7w2EFh3FYjeEwVjgOW+Ow1jhM5zjsZjis4DKO0xoO44XjsIbDthYO69qquF" +
		"sS2tSemNuTrNkTM3tijT2hlT01s6cY0Z4ytydZ2RMze2KNPaGVPW1mTzGiPTG3J+b2BCt7Yk17Qit7amZPsbInVtoTc/bERvbUSntCK3tqZk+x" +
		"sqestCdm9kQre2KlPaGVPW1mT83sCUa0J+b2JCt7Yk17Qit7amZPzdjb4RxABOAAaUABEoAKIGKhkD+EH2J2eCQ="},
	{skewed(900), "" +
		"YnZ4LYQDAAAICAAwABgGAgAhACAXACwYAAIuCAcCAgAhBBAAAAACIQAxIgwTDAAWJRkjDSgIAAQUEAQAMRgUAAADEAAEKCQIAS4CBBwEECAhEg" +
		"sAKCEmOSIACQAjEAAUAgIpMAoEGAQBPCErEggAACAQAwAgBAAAESgqCCwgIBIRCDADABAFAAQhNAAEKDIAAAYZIjcMAAAQIwIQBBACJCEACSUA" +
		"EBAQMCABJCIAEgQIAhQgFCUiAAIJAQAICAgAESIAEgAmAgoUKBQGFA4TACgNAAwjAwAABgwRAgIJFToQFCEhMBgCGAAIARgrAAgAIAAAAAgBIg" +
		"IJIQACAjAAFwYDOAASBgEABQMCFgAAIxkACAIgJAAIAAkAAQQFDCIOFAMAMAopEQAAIQAgAgQGMggNJAE3ICAZKCAPBCAsEBMAJRg0IAEmKAAi" +
		"EAoBAQACACAAAxIADhgAAQwIAAABERIBKBECIAAsARgoBQAWCBMRCCMABAoPKAIiIBwoCAAMIgkAMgYMIgUAIAYHECAAAwwOBAkGCAgSAAAxAC" +
		"oEEAQgCCEQNC0DGCAgAAcBIRAQDCIzJAIIDCgQERg/LAAUKg0QADAgMSUTACIQFAEgAhAmAQkiAAIwAAIAAAQmCBADMAAQGgEABBENER8MKCQE" +
		"BwQiHQQEJgkAARYBCAAYCiAABQQSKAIgKBIAGAAABAIADCQrJAAVIAgEEAELNB8IAQEJDBgQGgASFjAAAgUBJCICAAABAyMEEAoIJgAsABUJIC" +
		"cUEQEACQAoKgIDKgQgAQIAAQ4QCQAgDgUQIAA0IiQABAggAAoAAAAQAhEhAxgkASAEDigBAQAECgABDDYJBCIYBAIgCRAhAQAEAQIKAiAQIjQV" +
		"CBYsKCEAAxACECAIAAMQKAAAAwQAMAIYAAkDEAERBAUcAAkEARAAMSIIEDImAgQCERIIDSANEAIGAAISKAAABA4RAAgUOAgCFicAIDECBAk4Ax" +
		"oAEBkoACYAEDAAAAksCAoBDQUYAiEIAAAGIDICEAIiAggsAgUkMDAgBCgACgARARAQAhQoBAwCBAABKgQgEAAAIiAVBQMVAgcACQAQIAI3CAcM" +
		"AAAHCAIQKAMCAQARMBAGCCcAEAgAADADEDgEAgQAACEEAggGOiMsACEGFgQQEBEYMBAMFCQkCAACFyUBABQkOQgKARAkAgA3CCgQAAgLCDYpMD" +
		"Bidngk"},
	{text(7), "" +
		"YnZ4LQcAAABsaW5lIDAwYnZ4JA=="},
}

func TestVectors(t *testing.T) {
	kinds := make(map[string]bool)
	for i, v := range vectors {
		b, err := base64.StdEncoding.DecodeString(v.packed)
		if err != nil {
			t.Fatal(err)
		}
		kinds[string(b[:4])] = true
		got := make([]byte, len(v.plain)+10)
		if n, err := Decode(got, b); err != nil || !bytes.Equal(got[:n], v.plain) {
			t.Errorf("%d: %d of %d bytes, %v", i, n, len(v.plain), err)
		}
		// Room for less, or data that are cut short, are errors.
		if _, err := Decode(got[:len(v.plain)-1], b); !errors.Is(err, ErrFormat) {
			t.Errorf("%d: without room: %v", i, err)
		}
		for n := range len(b) {
			if _, err := Decode(got, b[:n]); !errors.Is(err, ErrFormat) {
				t.Errorf("%d: %d bytes of %d: %v", i, n, len(b), err)
			}
		}
	}
	if len(kinds) != 3 {
		t.Errorf("blocks: %v", kinds)
	}
}

// What LZVN can say, and the vectors do not.
func TestLZVN(t *testing.T) {
	end := "\x06\x00\x00\x00\x00\x00\x00\x00"
	for src, want := range map[string]string{
		"\xE3abc\x38\x03" + end:             "abc" + "abcabcabca",                       // a short distance
		"\xE3abc\x0E\x16\x3F\x03\x00" + end: "abc" + "abcabcabca",                       // nothing, and a long distance
		"\xE3abc\x40\x02x\x46y" + end:       "abcxcxcycyc",                              // literals before a match, the last distance
		"\xE1a\x00\x01\xF4\xF0\x01" + end:   "a" + "aaa" + "aaaa" + "aaaaaaaaaaaaaaaaa", // more of it
		"\xE0\x00ABCDEFGHIJKLMNOP" + end:    "ABCDEFGHIJKLMNOP",                         // many literals
		"\x38\x03" + end:                    "",                                         // nothing is before it
		"\xE1a\x70" + end:                   "",                                         // not defined
		"\xE1a\x1E" + end:                   "",                                         // not defined
		"\xE1a":                             "",                                         // without an end
		"\xE1a\x00\x00" + end:               "",                                         // no distance
	} {
		o := output{b: make([]byte, 100)}
		ok := o.lzvn([]byte(src))
		if ok != (want != "") || ok && string(o.b[:o.n]) != want {
			t.Errorf("%q: %t, %q, want %q", src, ok, o.b[:o.n], want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors {
		b, err := base64.StdEncoding.DecodeString(v.packed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dst := make([]byte, 1<<16)
		if n, err := Decode(dst, b); n < 0 || n > len(dst) || err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
