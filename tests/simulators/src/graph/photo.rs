//! `GET /users/{id}/photo/$value`: the photo of a user, if there is one.

use super::error::GraphError;
use super::{Answer, RequestContext, users};
use crate::call::Reply;

const READ: &[&str] = &[
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
];
/// Parts of a grey JPEG with one pixel.
const HEAD: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00";
const FRAME: &[u8] = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00";
const SCAN: &[u8] = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f\xff\xd9";

/// Returns the photo's bytes; 404 if the user has none.
pub(super) fn get(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(READ)?;
    let id = users::find(context, id)?.object_id;
    let photo = id.and_then(|id| context.tenant.state.photos.get(&id));
    let photo = photo.ok_or_else(|| {
        let text = "Exception of type 'Microsoft.Fast.Profile.Core.Exception.\
                    ImageNotFoundException' was thrown.";
        GraphError::new(404, "ImageNotFound", text)
    })?;
    let photo = if photo.is_empty() {
        built_in()
    } else {
        photo.clone()
    };
    Ok(Reply::bytes("image/jpeg", photo))
}

fn built_in() -> Vec<u8> {
    let mut jpeg = HEAD.to_vec();
    jpeg.extend(b"\xff\xdb\x00\x43\x00");
    jpeg.extend([0x10; 64]);
    jpeg.extend(FRAME);
    for table in [0x00, 0x10] {
        // One code of one bit, which encodes zero.
        jpeg.extend([0xff, 0xc4, 0x00, 0x14, table, 1]);
        jpeg.extend([0; 16]);
    }
    jpeg.extend(SCAN);
    jpeg
}
