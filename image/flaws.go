package image

import (
	"context"

	"spindle/disc"
	"spindle/image/format"
)

// ErrMap is what every error about a map or a log beside an image wraps.
var ErrMap = format.ErrMap

// withMaps gives an image that was opened from path the flaws that the maps beside it
// state, spindle's own or GNU ddrescue's, or the log of an album ([format.FlawsBeside]).
// [Open] has done so.
// remark receives a map that cannot be read, or is that of another image; where remark is
// nil, that is an error that wraps [ErrMap], and img stays open.
func withMaps(ctx context.Context, path string, img disc.Image, remark func(Remark)) (disc.Image, error) {
	flaws, err := format.FlawsBeside(ctx, path, img, remark)
	if err != nil {
		return img, err
	}
	return disc.WithFlaws(img, flaws), nil
}
