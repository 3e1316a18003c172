package imagetest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"spindle/disc"
	"spindle/image"
	"spindle/image/imagetest"
	"spindle/internal/testdisc"
)

func TestTapped(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "mixed")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	imagetest.Test(t, &imagetest.Tapped{Image: img, After: func(p []byte, _ disc.LBA) {
		for i := range p {
			p[i] ^= 0x55
		}
	}})
}

// broken is a whole image but for what a test replaces.
type broken struct {
	imagetest.Tapped
	read    func(ctx context.Context, p []byte, first disc.LBA) error
	user    bool
	extents bool
	flaws   disc.Flaws
	files   []string
}

func (b *broken) ReadSectors(ctx context.Context, p []byte, first disc.LBA) error {
	if b.read != nil {
		return b.read(ctx, p, first)
	}
	return b.Tapped.ReadSectors(ctx, p, first)
}

func (b *broken) ReadUser(ctx context.Context, _ []byte, _ disc.LBA) (bool, error) {
	return b.user, ctx.Err()
}

func (b *broken) ExtentAt(a disc.LBA) (disc.Extent, bool) {
	if !b.extents {
		return disc.Extent{}, false
	}
	e, ok := b.Image.ExtentAt(a)
	e.Offset++
	return e, ok
}
func (b *broken) Flaws() disc.Flaws { return b.flaws }
func (b *broken) Files() []string   { return b.files }

// Each way to break the contract is found.
func TestCheckFinds(t *testing.T) {
	path, err := testdisc.Make(t.TempDir(), "mixed")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	var count atomic.Int32
	for want, b := range map[string]*broken{
		"cancellation: sectors": {read: func(_ context.Context, p []byte, first disc.LBA) error {
			return img.ReadSectors(context.Background(), p, first)
		}},
		"sectors outside of tracks": {read: func(ctx context.Context, p []byte, first disc.LBA) error {
			if err := img.ReadSectors(ctx, p, first); !errors.Is(err, disc.ErrNoSector) {
				return err
			}
			clear(p)
			return nil
		}},
		"at a time differs": {read: func(ctx context.Context, p []byte, first disc.LBA) error {
			err := img.ReadSectors(ctx, p, first)
			p[0] ^= byte(count.Add(1))
			return err
		}},
		"sectors: a buffer of no whole sectors": {read: func(ctx context.Context, p []byte, first disc.LBA) error {
			return img.ReadSectors(ctx, p[:len(p)/2352*2352], first)
		}},
		"user data: track 1":            {user: true},
		"extents: track 1":              {extents: true},
		"overlap or are one":            {flaws: disc.Flaws{{First: 5, Count: 1, Kind: disc.Unread}, {First: -3, Count: 1, Kind: disc.Unread}}},
		"flaws: sector -3 is in no":     {flaws: disc.Flaws{{First: -3, Count: 1, Kind: disc.Unread}}},
		"files: stat /no/such":          {files: []string{"/no/such"}},
		"files: " + path + " is listed": {files: []string{path, path}},
	} {
		b.Image = img
		if err := imagetest.Check(t.Context(), b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
