package packed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A compressed file that was cut short is read as far as it goes, and says that it was.
func TestCut(t *testing.T) {
	var plain []byte
	for i := 0; len(plain) < 300<<10; i++ {
		plain = fmt.Appendf(plain, "line %07d, %x\n", i, uint32(i)*2654435761)
	}
	compress := map[string]func(w io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	}
	for name, open := range compress {
		var b bytes.Buffer
		w, err := open(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		w.Close()
		readCut(t, name, b.Bytes(), plain)
	}
	cmd := exec.Command("bzip2", "-1")
	cmd.Stdin = bytes.NewReader(plain)
	if b, err := cmd.Output(); err == nil {
		readCut(t, "bzip2", b, plain)
	}
}

func readCut(t *testing.T, name string, whole, plain []byte) {
	t.Helper()
	for _, part := range []int{len(whole), len(whole) * 3 / 4, len(whole) / 3, len(whole) - 3, 20} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, whole[:part], 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), f)
		if err != nil {
			f.Close()
			if part > len(whole)/2 || !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, %d of %d bytes: %v", name, part, len(whole), err)
			}
			continue
		}
		if r.Cut() != (part < len(whole)) || r.Size() > int64(len(plain)) || part > 20 && r.Size() == 0 || part == len(whole) && r.Size() != int64(len(plain)) {
			t.Errorf("%s, %d of %d bytes: cut %t, size %d", name, part, len(whole), r.Cut(), r.Size())
		}
		// From the end to the start, so that it is unpacked again.
		const step = 50_000
		for at := r.Size() / step * step; at >= 0; at -= step {
			p := make([]byte, min(step, r.Size()-at))
			if _, err := r.ReadAt(p, at); err != nil || !bytes.Equal(p, plain[at:at+int64(len(p))]) {
				t.Fatalf("%s, %d of %d bytes: at %d of %d: %v", name, part, len(whole), at, r.Size(), err)
			}
		}
		r.Close()
	}
}
