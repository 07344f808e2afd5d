/** What team shop was granted. Written by chart platform of the platform; edits are lost. */
import { importGrant } from 'gatewright';

export const team = {"name":"shop","namespace":"shop"} as const;

export const grants = {
  "shop": importGrant({
    "team": {
      "name": "shop",
      "namespace": "shop"
    },
    "gateway": "infra/shared-gw",
    "title": "grant platform/shared-gw/shop",
    "hostnames": [
      "shop.example.com",
      "*.shop.example.com"
    ],
    "kinds": [
      "HTTPRoute"
    ],
    "listeners": [
      "web",
      "secure"
    ],
    "paths": [
      "/"
    ],
    "policies": [
      {
        "name": "shared-gw",
        "overrides": {
          "minTlsVersion": "TLSv1.3",
          "maxRequestBytes": 10485760
        },
        "targetRefs": [
          {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": "shared-gw"
          }
        ]
      }
    ],
    "delegated": [
      {
        "path": "/checkout",
        "hostnames": [
          "shop.example.com"
        ],
        "team": {
          "name": "payments",
          "namespace": "payments"
        }
      }
    ],
    "wholeObject": true,
    "places": [
      {
        "kind": "ListenerSet",
        "name": "shared-gw-shop",
        "namespace": "infra",
        "sectionName": "web.shop.example.com",
        "listener": "web",
        "hostname": "shop.example.com",
        "kinds": [
          "HTTPRoute"
        ],
        "protocol": "HTTP",
        "port": 80
      },
      {
        "kind": "ListenerSet",
        "name": "shared-gw-shop",
        "namespace": "infra",
        "sectionName": "web-any.shop.example.com",
        "listener": "web",
        "hostname": "*.shop.example.com",
        "kinds": [
          "HTTPRoute"
        ],
        "protocol": "HTTP",
        "port": 80
      },
      {
        "kind": "ListenerSet",
        "name": "shared-gw-shop",
        "namespace": "infra",
        "sectionName": "secure.shop.example.com",
        "listener": "secure",
        "hostname": "shop.example.com",
        "kinds": [
          "HTTPRoute"
        ],
        "protocol": "HTTPS",
        "port": 443
      },
      {
        "kind": "ListenerSet",
        "name": "shared-gw-shop",
        "namespace": "infra",
        "sectionName": "secure-any.shop.example.com",
        "listener": "secure",
        "hostname": "*.shop.example.com",
        "kinds": [
          "HTTPRoute"
        ],
        "protocol": "HTTPS",
        "port": 443
      }
    ]
  }),
};
