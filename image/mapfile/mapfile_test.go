package mapfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The map must say of each byte what an array of bytes would say.
func TestSetAgainstArray(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const size = 200
	states := []Status{NonTried, Finished, Bad, NonTrimmed}
	m := New(size)
	truth := bytes.Repeat([]byte{byte(NonTried)}, size)
	for range 5000 {
		pos, n := int64(r.IntN(size+10)-5), int64(r.IntN(40))
		s := states[r.IntN(len(states))]
		m.Set(pos, n, s)
		for i := max(0, pos); i < min(size, pos+n); i++ {
			truth[i] = byte(s)
		}
		at := int64(0)
		for k, b := range m.Blocks() {
			if b.Pos != at || b.Size <= 0 || k > 0 && m.Blocks()[k-1].Status == b.Status {
				t.Fatalf("after Set(%d, %d, %c): %v", pos, n, s, m.Blocks())
			}
			for i := b.Pos; i < b.End(); i++ {
				if truth[i] != byte(b.Status) {
					t.Fatalf("byte %d is %c, want %c", i, b.Status, truth[i])
				}
			}
			at = b.End()
		}
		if at != size {
			t.Fatalf("the map ends at %d", at)
		}
		if got, want := m.Count(Bad), int64(bytes.Count(truth, []byte{byte(Bad)})); got != want {
			t.Fatalf("%d bad bytes, want %d", got, want)
		}
		from := int64(r.IntN(size))
		b, ok := m.Next(from, Finished)
		i := bytes.IndexByte(truth[from:], byte(Finished))
		if ok != (i >= 0) || ok && b.Pos != from+int64(i) {
			t.Fatalf("Next(%d) = %v, %v, want %d", from, b, ok, i)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	m := New(5000)
	m.Comments = []string{" Mapfile.", " spindle: {}"}
	m.Set(0, 100, Finished)
	m.Set(200, 1, Bad)
	m.Pos, m.Phase, m.Pass = 201, Bad, 2
	m.Doubt = "the SHA-256 of x.bin does not match"
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got, cmp.AllowUnexported(Map{})); diff != "" {
		t.Error(diff)
	}
}

// A doubt is never passed over, also where a file says no more than that.
func TestDoubt(t *testing.T) {
	for text, want := range map[string]string{
		"0 + 1\n0 10 +\n":                            "",
		"#" + doubtComment + "\n# why\n":             "why",
		"#" + doubtComment + "\n# why\n0 + 1\n0 1 +": "why",
		"0 + 1\n0 1 +\n#" + doubtComment + "\n":      "it does not say why",
		"#" + doubtComment + "\n# current_pos\n":     "it does not say why",
		"#" + doubtComment + "\n#\n# more\n":         "more",
	} {
		m, err := Read(strings.NewReader(text))
		if err != nil || m.Doubt != want {
			t.Errorf("%q: %+v, %v", text, m, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"no status":     "# only a comment\n",
		"gap":           "0 ? 1\n0 10 +\n20 10 +\n",
		"overlap":       "0 ? 1\n0 10 +\n5 10 +\n",
		"bad state":     "0 ? 1\n0 10 x\n",
		"no size":       "0 ? 1\n0 0 +\n",
		"overflow":      "0 ? 1\n0 0x7FFFFFFFFFFFFFFF +\n0x7FFFFFFFFFFFFFFF 5 +\n",
		"words":         "0 ? 1\n0 10\n",
		"negative":      "0 ? 1\n0 -10 +\n",
		"status line":   "x ? 1\n",
		"text":          "hello world\n",
		"long line":     strings.Repeat("x", maxLine+1),
		"pass no digit": "0 ? x\n",
		"comments":      strings.Repeat("#\n", maxComments+1) + "0 ? 1\n0 10 +\n",
		"long comments": strings.Repeat("#"+strings.Repeat("x", maxLine-2)+"\n", maxCommentBytes/maxLine+1) + "0 ? 1\n0 10 +\n",
	} {
		if _, err := Read(strings.NewReader(text)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("# c\n0x0 ? 1\n0x0 0x10 +\n0x10 0x5 -\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if _, err := m.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(&b); err != nil || again.Size() != m.Size() {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}

func ExampleMap() {
	m := New(10 * 2048)
	m.Set(0, 4*2048, Finished)
	m.Set(4*2048, 2048, Bad)
	if _, err := m.WriteTo(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # current_pos  current_status  current_pass
	// 0x00000000     ?               1
	// #      pos        size  status
	// 0x00000000  0x00002000  +
	// 0x00002000  0x00000800  -
	// 0x00002800  0x00002800  ?
}
