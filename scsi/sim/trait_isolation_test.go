package sim

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"
)

// A chore is something ordinary that a drive does; its result is what the host
// sees, without times.
type chore struct {
	name, media string
	do          func(p *probe, see func(b []byte, got string))
}

func chores() []chore {
	return []chore{
		{"load", "", func(p *probe, see func([]byte, string)) {
			for range 40 {
				see(nil, p.do(0))
				p.wait(time.Second / 4)
			}
		}},
		{"identity", "cd-r", func(p *probe, see func([]byte, string)) {
			see(p.load().in(96, 0x12, 0, 0, 0, 96))
			see(p.in(2048, 0x46, 0, 0, 0, 0, 0, 0, 8, 0))
		}},
		{"pages", "", func(p *probe, see func([]byte, string)) {
			see(p.load().in(512, 0x5A, 0, 0x3F, 0, 0, 0, 0, 2, 0))
		}},
		{"toc", "", func(p *probe, see func([]byte, string)) {
			p.load()
			for _, format := range []byte{0, 1, 2, 5} {
				see(p.in(400, 0x43, 0, format, 0, 0, 0, 1, 1, 0x90))
			}
		}},
		{"data", "", func(p *probe, see func([]byte, string)) {
			p.load()
			for a := 100; a < 300; a += 20 {
				see(p.in(20*2048, cdb10(0x28, a, 20)...))
			}
		}},
		{"audio", "", func(p *probe, see func([]byte, string)) {
			p.load()
			for a := 470; a < 600; a += 10 {
				see(p.in(10*2352, readCD(a, 10, 1, 0x10, 0)...))
			}
		}},
		{"any", "", func(p *probe, see func([]byte, string)) {
			see(p.load().in(8*2352, readCD(10, 8, 0, 0xF8, 0)...))
		}},
		{"c2-294", "", func(p *probe, see func([]byte, string)) {
			p.load()
			for a := 470; a < 590; a += 8 {
				see(p.in(8*2646, readCD(a, 8, 1, 0x12, 0)...))
			}
		}},
		{"c2-296", "", func(p *probe, see func([]byte, string)) {
			p.load()
			for a := 470; a < 590; a += 8 {
				see(p.in(8*2648, readCD(a, 8, 1, 0x14, 0)...))
			}
		}},
		{"c2-damage", "", func(p *probe, see func([]byte, string)) {
			see(p.load().in(2648, readCD(460, 1, 1, 0x14, 0)...))
		}},
		{"sub", "", func(p *probe, see func([]byte, string)) {
			p.load()
			for _, form := range []byte{1, 2} {
				see(p.in(8*2448, readCD(480, 8, 1, 0x10, form)...))
			}
		}},
		{"sub-and-c2", "", func(p *probe, see func([]byte, string)) {
			see(p.load().in(8*2744, readCD(480, 8, 1, 0x14, 1)...))
		}},
		{"speed", "", func(p *probe, see func([]byte, string)) {
			see(nil, p.load().do(0xBB, 0, 0xFF, 0xFF, 0xFF, 0xFF))
			see(nil, p.out(make([]byte, 28), 0xB6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28))
		}},
		{"track", "cd-r", func(p *probe, see func([]byte, string)) {
			p.load().page(0x41, 4, 8, "")
			p.burnBlocks(see)
		}},
		{"session", "cd-r", func(p *probe, see func([]byte, string)) { see(nil, p.load().session(false, true)) }},
		{"mcn-in-page", "cd-r", func(p *probe, see func([]byte, string)) { see(nil, p.load().session(true, false)) }},
		{"test", "cd-r", func(p *probe, see func([]byte, string)) {
			p.load().page(0x51, 4, 8, "")
			p.burnBlocks(see)
		}},
		{"rewritable", "cd-rw", func(p *probe, see func([]byte, string)) {
			p.load().page(0x41, 4, 8, "")
			p.burnBlocks(see)
			see(p.in(2048, 0x46, 0, 0, 0, 0, 0, 0, 8, 0))
			see(nil, p.do(0xA1, 0x11))
			for range 5 {
				see([]byte(p.requestSense()), p.do(0))
				p.wait(time.Minute)
			}
		}},
		{"dvd+r", "dvd+r", func(p *probe, see func([]byte, string)) { p.load().burnBlocks(see) }},
		{"bd-r", "bd-r", func(p *probe, see func([]byte, string)) { p.load().burnBlocks(see) }},
		{"dvd+rw", "dvd+rw", func(p *probe, see func([]byte, string)) {
			see(nil, p.load().format())
			see([]byte(p.requestSense()), p.do(0))
			see([]byte(p.requestSense()), p.do(0))
			p.burnBlocks(see)
			see(nil, p.do(0x5B, 0, 0))
		}},
		{"calibration", "cd-r", func(p *probe, see func([]byte, string)) { see(nil, p.load().do(0x54, 1)) }},
	}
}

// burnBlocks writes, reads back, and closes.
func (p *probe) burnBlocks(see func([]byte, string)) {
	for a := 0; a < 11*32; a += 32 {
		see(nil, p.write(a))
		_, got := p.in(12, 0x5C, 0, 0, 0, 0, 0, 0, 0, 12, 0) // how full it is depends on the time
		see(nil, got)
	}
	see(nil, p.do(0x35))
	for a := 0; a < 320; a += 16 {
		see(p.in(16*2048, cdb10(0x28, a, 16)...))
	}
	see(nil, p.do(0x5B, 0, 2))
	see(p.in(36, 0x52, 1, 0, 0, 0, 1, 0, 0, 36, 0))
}

// choreResult is what the host sees.
func choreResult(t *testing.T, c chore, traits ...string) string {
	var b strings.Builder
	p := newProbe(t, c.media, traits...)
	c.do(p, func(data []byte, got string) {
		fmt.Fprintf(&b, "%s %d %08x\n", got, len(data), crc32.ChecksumIEEE(data))
	})
	return b.String()
}

// touched are the chores that each trait changes. All others come out as on a
// plain drive.
var touched = map[string]string{
	"aborted-command-in-write":          "track session mcn-in-page test rewritable dvd+r bd-r dvd+rw",
	"buffer-capacity-transport-error":   "track test rewritable dvd+r bd-r dvd+rw",
	"busy-after-load":                   "load",
	"c2-294-fails-after":                "c2-294",
	"c2-294-garbage":                    "c2-294",
	"c2-296-only-first":                 "c2-294",
	"c2-296-only-last":                  "c2-294 c2-damage",
	"c2-always-zero":                    "c2-damage",
	"c2-and-subchannel-exclusive":       "sub-and-c2",
	"c2-garbage":                        "c2-294 c2-296 c2-damage sub-and-c2",
	"c2-late":                           "c2-damage",
	"cdtext-at-lead-in-only":            "session",
	"cdtext-block-type-3-only":          "session",
	"cdtext-refused":                    "session",
	"close-000-sequence-error":          "dvd+rw",
	"close-refused-after-test-write":    "test",
	"cue-sheet-limit":                   "identity rewritable",
	"cut-mod-1024":                      "audio c2-294 c2-296 c2-damage",
	"drops-cdtext":                      "session",
	"drops-indexes":                     "session mcn-in-page",
	"drops-isrc":                        "session mcn-in-page",
	"drops-mcn":                         "session mcn-in-page",
	"dvd-drive":                         "identity rewritable bd-r",
	"expected-type-0-refused":           "any",
	"features-not-current-on-closed-rw": "rewritable",
	"mcn-from-cue-sheet-only":           "mcn-in-page",
	"no-accurate-stream":                "pages audio c2-294 c2-296 c2-damage sub sub-and-c2",
	"no-c2":                             "identity pages c2-294 c2-296 c2-damage sub-and-c2 rewritable",
	"no-full-toc":                       "toc",
	"no-get-configuration":              "identity pages rewritable",
	"no-session-at-once-feature":        "identity rewritable",
	"no-subchannel":                     "pages sub sub-and-c2",
	"not-present-first":                 "load",
	"not-ready-04-00":                   "load rewritable dvd+rw",
	"opc-refused":                       "calibration",
	"open-session-unreadable":           "track rewritable dvd+r bd-r",
	"progress-background":               "dvd+rw",
	"progress-stuck":                    "rewritable dvd+rw",
	"protected-range":                   "data track test rewritable dvd+r bd-r dvd+rw",
	"residual-on-write":                 "track session mcn-in-page test rewritable dvd+r bd-r dvd+rw",
	"sequence-error-in-write":           "track session mcn-in-page test rewritable dvd+r bd-r dvd+rw",
	"set-streaming-refused":             "speed",
	"short-read-stale":                  "data audio c2-294 c2-296 track rewritable dvd+r bd-r dvd+rw",
	"short-write-hidden":                "track session mcn-in-page test rewritable dvd+r bd-r dvd+rw",
	"subchannel-garbage":                "sub sub-and-c2",
	"subchannel-hangs":                  "sub sub-and-c2",
	"subchannel-no-crc":                 "sub sub-and-c2",
	"subchannel-shifted":                "sub sub-and-c2",
	"synchronize-never-ends":            "track test rewritable dvd+r bd-r dvd+rw",
	"toc-before-minus-150":              "toc",
	"writes-nothing-with-cdtext":        "session",
}

func TestTraitsTouchNothingElse(t *testing.T) {
	plain := map[string]string{}
	for _, c := range chores() {
		plain[c.name] = choreResult(t, c)
		if again := choreResult(t, c); again != plain[c.name] {
			t.Errorf("%s comes out differently each time:\n%s%s", c.name, plain[c.name], again)
		}
	}
	for i, u := range Traits() {
		if testing.Short() && i%8 != 0 {
			continue
		}
		name := u.Name
		if u.Argument != "" && u.Usual == "" {
			name += ":250-260"
		}
		var differ []string
		for _, c := range chores() {
			if choreResult(t, c, name) != plain[c.name] {
				differ = append(differ, c.name)
			}
		}
		if got := strings.Join(differ, " "); got != touched[u.Name] {
			t.Errorf("\t%q: %q,", u.Name, got)
		}
	}
}
