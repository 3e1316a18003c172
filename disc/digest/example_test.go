package digest_test

import (
	"fmt"

	"spindle/disc/digest"
)

// Two tracks, of one and two bytes.
func ExampleHasher() {
	h := digest.New(digest.All, []int64{1, 2})
	if _, err := h.Write([]byte("abc")); err != nil {
		fmt.Println(err)
		return
	}
	whole, tracks := h.Sums()
	fmt.Println(whole.CRC32, tracks[0].CRC32, tracks[1].CRC32)
	// Output: 352441c2 e8b7be43 c2a92b38
}
