// Package testforeign makes images as other programs do, in formats that spindle reads and does not write, for tests.
// They follow what is known of these formats: no file of the programs themselves was at hand.
package testforeign

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"os"
	"path/filepath"
)

// Files are the files of an image, by their names. The first of the names in Order is the one that is opened.
type Files struct {
	Order []string
	Bytes map[string][]byte
}

func (f *Files) add(name string, b []byte) {
	if f.Bytes == nil {
		f.Bytes = make(map[string][]byte)
	}
	f.Order = append(f.Order, name)
	f.Bytes[name] = b
}

// ISOs make images of an ISO in all ways, by names that say which. They take the name of the first file, without a suffix.
func ISOs() map[string]func(name string, iso []byte) *Files {
	all := make(map[string]func(string, []byte) *Files)
	for name, d := range DAAs() {
		all["daa-"+name] = d.Make
	}
	for name, u := range UIFs() {
		all["uif-"+name] = u.Make
	}
	one := func(suffix string, pack func(iso []byte) []byte) func(string, []byte) *Files {
		return func(name string, iso []byte) *Files {
			f := &Files{}
			f.add(name+suffix, pack(iso))
			return f
		}
	}
	all["dax-first"] = one(".dax", func(iso []byte) []byte { return DAX(iso, 0, 0) })
	all["dax-second"] = one(".dax", func(iso []byte) []byte { return DAX(iso, 1, 20) })
	all["vhdx"] = one(".vhdx", VHDX)
	return all
}

// Write writes the files into a folder, and returns the path of the first.
func (f *Files) Write(dir string) (string, error) {
	for name, b := range f.Bytes {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, f.Order[0]), nil
}

// must is for writers that write to memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func deflate(b []byte) []byte {
	return packed(b, func(out io.Writer) io.WriteCloser {
		w, err := flate.NewWriter(out, flate.DefaultCompression)
		must(err)
		return w
	})
}

func zlibOf(b []byte) []byte {
	return packed(b, func(out io.Writer) io.WriteCloser { return zlib.NewWriter(out) })
}

func packed(b []byte, packer func(io.Writer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := packer(&out)
	_, err := w.Write(b)
	must(err)
	must(w.Close())
	return out.Bytes()
}
