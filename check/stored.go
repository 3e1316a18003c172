package check

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"spindle/disc"
)

// HashStored returns the SHA-256, in hexadecimal, of the sectors of an image that stand in files,
// one after the other as they are stored, and how many bytes these are.
func HashStored(ctx context.Context, img disc.Image, progress func(done, total int64)) (sum string, size int64, err error) {
	runs := storedRuns(img)
	total := int64(0)
	for _, e := range runs {
		total += int64(e.Count) * int64(e.Form.Size())
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for _, e := range runs {
		each, step := int64(e.Form.Size()), int64(max(e.Stride, e.Form.Size()))
		most := 1
		if each == step {
			most = len(buf) / int(each)
		}
		for i := 0; i < e.Count; {
			if err := ctx.Err(); err != nil {
				return "", size, err
			}
			n := min(most, e.Count-i)
			p := buf[:int64(n)*each]
			if got, err := e.Source.ReadAt(p, e.Offset+int64(i)*step); got < len(p) {
				return "", size, err
			}
			h.Write(p)
			i += n
			size += int64(len(p))
			if progress != nil {
				progress(size, total)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// storedRuns returns the sectors of the tracks that stand in files.
func storedRuns(img disc.Image) []disc.Extent {
	var all []disc.Extent
	for _, t := range img.Layout().Tracks() {
		for a := t.Begin(); a < t.End; {
			e, ok := img.ExtentAt(a)
			n := 1
			if ok {
				n = max(1, min(e.Count, int(t.End-a)))
			}
			if ok && e.Source != nil {
				e.Count = n
				all = append(all, e)
			}
			a += disc.LBA(n)
		}
	}
	return all
}
